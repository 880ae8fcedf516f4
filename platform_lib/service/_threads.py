"""Blocking work beside the event loop, in the context of whoever asked for it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_MOST_THREADS = 32
_logger = logging.getLogger("platform_lib.service")


class Threads:
    """At most *most* threads, started as they are needed and kept; none holds up the end of the process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._count = 0
        self._idle = 0

    def put(self, work: Callable[[], None]) -> None:
        """Have *work*, which raises nothing, done by the next thread that is free."""
        with self._changed:
            self._waiting.append(work)
            if self._idle >= len(self._waiting):
                self._changed.notify()
            elif self._count < self._most:
                # Not the standard library's executor: its threads are waited for when the process ends.
                threading.Thread(target=self._work, name="run-in-thread", daemon=True).start()
                self._count += 1

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._idle += 1
                    self._changed.wait()
                    self._idle -= 1
                work = self._waiting.popleft()
            work()
            del work  # else its arguments would live on while the thread is idle


_threads = Threads(_MOST_THREADS)


def _begin_anew() -> None:
    global _threads  # noqa: PLW0603  # threads do not survive a fork
    _threads = Threads(_MOST_THREADS)


os.register_at_fork(after_in_child=_begin_anew)


async def run_in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a blocking *function* in a thread and return what it returns, or raise what it raises.

    The context goes along: the current span, the caller's deadline, and the mark of an open transaction, so
    that a call to a peer is refused from the thread as well. What the function sets in it stays there.
    At most 32 such calls run at once in a process; others wait for their turn, first come first served.

    Cancelled while it waits, the call never begins. Cancelled while it runs, the wait ends at once and the
    function runs on to its end, since a thread cannot be stopped: its result is dropped, its error is logged,
    and it counts among the 32 until then. The end of the process does not wait for it. So give it a time
    limit of its own, and nothing to do that must not be cut off.
    """
    outcome: Future[R] = Future()
    abandoned = threading.Event()
    work = partial(_settle, outcome, abandoned, partial(function, *args, **kwargs))
    _threads.put(partial(copy_context().run, work))
    try:
        return await asyncio.wrap_future(outcome)
    except asyncio.CancelledError:
        abandoned.set()
        raise


def _settle(outcome: Future[R], abandoned: threading.Event, call: Callable[[], R]) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # whatever it is, the one who waits is told
        if abandoned.is_set():
            _logger.exception("run_in_thread: abandoned work failed: %s", type(error).__qualname__)
        if isinstance(error, StopIteration):  # which no coroutine may raise
            stopped = RuntimeError("run_in_thread: the function raised StopIteration; catch it there")
            stopped.__cause__ = error
            error = stopped
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
