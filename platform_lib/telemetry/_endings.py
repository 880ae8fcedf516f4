"""Requests that ended: what is said about those that went well is said for many at once, within a moment.

A tight loop over many requests costs a third of doing the same after each: the interpreter's caches stay
warm. Only what is told waits, nothing of the application: it would be memory that the next requests miss.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat, starmap
from typing import TypeVar

from platform_lib.telemetry._access import access_lines, quick_handler
from platform_lib.telemetry._ended import SERVER_ERROR, durations, log_request, somebody_meters, verdict
from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._kept_spans import kept_spans
from platform_lib.telemetry._recorder import Recorder
from platform_lib.telemetry._request import Scope
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

running_loop = asyncio._get_running_loop  # noqa: SLF001  # documented for library authors; None without one
_T = TypeVar("_T")
_MOST_WAITING = 256
_DELAY_SECONDS = 0.1  # a line is read by people and shippers, neither of which is quicker

Ended = tuple[Group, int, int, bytes, RequestSpan | None]
"""Group, end by the performance counter and duration, both in nanoseconds, the ids of its span, and the span
itself where it was asked or told anything."""

Kept = tuple[Group, int, int, bytes, RequestSpan, str, bytes]
"""The same of a request whose span is to be sent, and its path, and who called, as attributes of the span."""


class Endings:
    """The requests of one middleware that ended and are not told yet, as one recorder has them.

    A failure is told at once, after those that wait.

    Attributes:
        recorder: whose requests they are.
        linked: whether the caller's trace context is a link, as it is at a public edge.
        without_caller: whether a span can start without a look at the caller.
    """

    def __init__(self, recorder: Recorder, *, linked: bool) -> None:
        self.recorder = recorder
        self.linked = linked
        self.without_caller = linked and recorder.by_ratio
        self._waiting: deque[Ended] = deque()
        self._kept: deque[Kept] = deque()
        self._due_on: asyncio.AbstractEventLoop | None = None  # where a timer is set, while that runs
        # The recorder's own, near at hand.
        self._usual, self._edge = recorder.groups.usual, recorder.edge
        self._slow_nanoseconds = recorder.slow_nanoseconds
        self._ids = recorder.draws()
        _all.add(self)

    def add(
        self,
        span: RequestSpan,
        scope: Scope,
        status: int | None,
        failure: str | None,
        moment: int,
        nanoseconds: int,
    ) -> None:
        """Take a request that ended at *moment*, just now, in the context it ran in."""
        group = None
        if failure is None and not (span.used and span.status):
            # The kind of nearly every request is found without a call and without making a key.
            try:
                # FastAPI's own, private record of the route as included, prefixes and all.
                route = scope["fastapi"]["effective_route_context"] if "fastapi" in scope else scope["route"]
                known = self._usual[route.path_format]
                while (
                    known.status != status
                    or known.sent != scope["method"]
                    or known.scheme != scope["scheme"]
                    or known.version != scope["http_version"]
                ):
                    known = known.other  # type: ignore[assignment]  # None is the last, and has no status
                if not (scope["root_path"] or "app_root_path" in scope):
                    group = known
            except (AttributeError, LookupError, TypeError):
                pass
        if (
            group is None
            and (group := self._other(span, scope, status, failure, moment, nanoseconds)) is None
        ):
            return
        own: RequestSpan | None = None
        if span.used:  # it may have ids of its own, or a decision that is another's
            own, ids, sampled = span, span.ids, span.sampled
        else:
            ids = next(self._ids)
            span.known_ids = ids  # for who still asks, such as a task that outlives the request
            sampled = ids[8] <= self._edge and span.recorder.samples(ids)
        if sampled or nanoseconds >= self._slow_nanoseconds:
            self._keep(span, scope, group, moment, nanoseconds, ids)
        group.durations.waiting.append(nanoseconds)
        waiting = self._waiting
        waiting.append((group, moment, nanoseconds, ids, own))
        if len(waiting) >= _MOST_WAITING:
            self.settle()
        elif (due_on := self._due_on) is None or not due_on.is_running():
            self._settle_soon()

    def _other(
        self,
        span: RequestSpan,
        scope: Scope,
        status: int | None,
        failure: str | None,
        moment: int,
        nanoseconds: int,
    ) -> Group | None:
        """Return the group of any request; None if everything was told at once: it failed or met no route."""
        group, failed = _group_of(span, scope, status, failure)
        if not failed and group.line:
            return group
        recorder, ids = self.recorder, span.ids
        if span.sampled or nanoseconds >= recorder.slow_nanoseconds or (failed and recorder.by_ratio):
            self._keep(span, scope, group, moment, nanoseconds, ids)
        self.settle()
        group.durations.waiting.append(nanoseconds)
        _measured(recorder, [(group, moment, nanoseconds, ids, span)])
        log_request(span, group.key, scope["path"], nanoseconds, failed=failed)
        return None

    def _keep(
        self, span: RequestSpan, scope: Scope, group: Group, moment: int, nanoseconds: int, ids: bytes
    ) -> None:
        """Send the span of a request with those of the requests that wait."""
        if self.recorder.exports:
            caller = self.recorder.callers.of(scope, span, linked=self.linked)
            self._kept.append((group, moment, nanoseconds, ids, span, scope["path"], caller))

    def settle(self) -> None:
        """Tell everything about the requests that wait."""
        recorder = self.recorder
        offset = time.time_ns() - time.perf_counter_ns()  # law-5: a span's clock is the machine's
        if kept := _taken(self._kept):
            recorder.put(kept_spans(kept, offset), len(kept))
        if ended := _taken(self._waiting):
            _measured(recorder, ended)
            if handler := quick_handler():
                handler.put(access_lines(handler, ended, offset))
            else:
                for group, _, nanoseconds, ids, own in ended:
                    log_request(own or recorder.span_of(ids), group.key, "", nanoseconds, failed=False)

    def forget(self) -> None:
        """Forget the requests that wait, and ids, in a child that was forked: its parent uses them."""
        self._waiting.clear()
        self._kept.clear()
        self._ids = self.recorder.draws()

    def _settle_soon(self) -> None:
        loop = running_loop()
        if loop is None:  # served by another kind of event loop
            self.settle()
            return
        self._due_on = loop
        loop.call_later(_DELAY_SECONDS, self._on_time)

    def _on_time(self) -> None:
        self._due_on = None
        self.settle()


_all: weakref.WeakSet[Endings] = weakref.WeakSet()


def settle_all() -> None:
    """Tell everything about every request that ended in this process."""
    for endings in list(_all):
        endings.settle()


def forget_all() -> None:
    """Forget what a forked child has of its parent's requests."""
    for endings in list(_all):
        endings.forget()


def _taken(waiting: deque[_T]) -> list[_T]:
    """Take what waits now; another thread may take at the same time, and each gets what it takes."""
    taken: list[_T] = []
    with suppress(IndexError):  # what was taken before it stays in the list
        taken.extend(starmap(waiting.popleft, repeat((), len(waiting))))
    return taken


def _measured(recorder: Recorder, ended: Sequence[Ended]) -> None:
    """Take note of durations: the platform's own wait in their groups, somebody else's meter is told."""
    recorder.groups.measured(len(ended))
    if somebody_meters():
        for group, _, nanoseconds, *_ in ended:
            durations.record(nanoseconds / 1_000_000_000, group.attributes)


def _group_of(span: RequestSpan, scope: Scope, status: int | None, failure: str | None) -> tuple[Group, bool]:
    """Return the group of any request, and whether it failed."""
    failed = failure is not None or status is None or status >= SERVER_ERROR
    code, error = verdict(span, status, failure, failed=failed)
    # What a server may leave out (ASGI 3, HTTP connection scope).
    scheme, version = scope.get("scheme") or "http", scope.get("http_version") or "1.1"
    key = (scope["method"], http_route(scope), status, scheme, version, error, code)
    return span.recorder.groups.of(key), failed
