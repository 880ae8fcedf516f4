"""Blocking work in threads: the context that goes along, the bound, and what a cancellation does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from platform_lib._deadline import Deadline, current_deadline, keep_to
from platform_lib.clients._transaction import inside_transaction, transaction_open
from platform_lib.clients.http import http_client
from platform_lib.clock import SystemClock
from platform_lib.errors import LawBroken
from platform_lib.service import _threads, run_in_thread
from platform_lib.telemetry import client_span, traced
from platform_lib.testing import CapturedSpans


class Held:
    """Functions that wait in their thread until the test lets go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.most = 0
        self._lock = threading.Lock()

    def work(self, name: str) -> str:
        with self._lock:
            self.begun.append(name)
            self.most = max(self.most, len(self.begun) - len(self.ended))
        assert self.go.wait(20)
        with self._lock:
            self.ended.append(name)
        return name

    async def until_begun(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.begun) < count:  # noqa: ASYNC110  # another thread says it
                await asyncio.sleep(0.001)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setattr(_threads, "_threads", _threads.Threads(2))
    it = Held()
    yield it
    it.go.set()


async def test_it_returns_what_the_function_returns() -> None:
    def concatenate(first: str, *, second: str) -> str:
        assert threading.current_thread() is not threading.main_thread()
        return first + second

    assert await run_in_thread(concatenate, "a", second="b") == "ab"


async def test_it_raises_what_the_function_raises() -> None:
    def fail() -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        await run_in_thread(fail)


async def test_the_one_error_that_no_coroutine_may_raise_does_not_hang_it() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await run_in_thread(next, iter(()))


async def test_a_span_made_in_the_thread_is_below_the_callers(spans: CapturedSpans) -> None:
    with client_span("caller"):
        await run_in_thread(traced("in the thread")(lambda: None))

    assert spans.tree() == "caller (client)\n  in the thread"


async def test_the_callers_deadline_goes_along() -> None:
    deadline = Deadline.after(5, SystemClock())
    with keep_to(deadline):
        assert await run_in_thread(current_deadline) is deadline


async def test_a_call_to_a_peer_inside_a_transaction_is_refused_from_the_thread_too() -> None:
    def call_out() -> None:
        asyncio.run(http_client("provider", "http://127.0.0.1:9").request("POST", "/captures"))

    with transaction_open("payments"):
        assert await run_in_thread(inside_transaction)
        with pytest.raises(LawBroken, match="inside an open database transaction"):
            await run_in_thread(call_out)


async def test_no_more_run_at_once_than_there_are_threads_and_the_others_follow_in_turn(held: Held) -> None:
    running = [asyncio.create_task(run_in_thread(held.work, name)) for name in "abcde"]
    await held.until_begun(2)
    held.go.set()

    assert await asyncio.gather(*running) == list("abcde")
    assert held.most == 2
    assert held.begun[2:] == list("cde")


async def test_threads_are_used_again(held: Held) -> None:
    del held  # brings two threads
    names = {await run_in_thread(threading.get_ident) for _ in range(20)}

    assert len(names) <= 2


async def test_cancelled_while_it_waits_it_never_begins(held: Held) -> None:
    running = [asyncio.create_task(run_in_thread(held.work, name)) for name in "ab"]
    await held.until_begun(2)
    waiting = asyncio.create_task(run_in_thread(held.work, "c"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    held.go.set()
    await asyncio.gather(*running)

    assert await run_in_thread(lambda: "next") == "next"
    assert "c" not in held.begun


async def test_cancelled_while_it_runs_the_wait_ends_and_the_function_goes_on(held: Held) -> None:
    running = asyncio.create_task(run_in_thread(held.work, "a"))
    await held.until_begun(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert held.ended == []
    held.go.set()
    async with asyncio.timeout(20):
        while held.ended != ["a"]:  # noqa: ASYNC110  # another thread says it
            await asyncio.sleep(0.001)


async def test_the_error_of_abandoned_work_is_logged(held: Held, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        held.work("a")
        raise LookupError

    running = asyncio.create_task(run_in_thread(fail))
    await held.until_begun(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    held.go.set()
    async with asyncio.timeout(20):
        while not caplog.records:  # noqa: ASYNC110  # another thread says it
            await asyncio.sleep(0.001)

    assert caplog.messages == ["run_in_thread: abandoned work failed: LookupError"]


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_work_that_never_ends_does_not_hold_up_the_end_of_the_process() -> None:
    assert (
        run("""
import asyncio, threading
from platform_lib.service import run_in_thread
async def main():
    running = asyncio.create_task(run_in_thread(threading.Event().wait))
    await asyncio.sleep(0)
    running.cancel()
asyncio.run(main())
print("ended")
""")
        == "ended\n"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_has_threads_of_its_own() -> None:
    assert (
        run("""
import asyncio, os
from platform_lib.service import run_in_thread
asyncio.run(run_in_thread(print, "parent", flush=True))
child = os.fork()
if child == 0:
    asyncio.run(run_in_thread(print, "child", flush=True))
    os._exit(0)
os.waitpid(child, 0)
""")
        == "parent\nchild\n"
    )
