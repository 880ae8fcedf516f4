"""Requests that ended: what is said about those that went well is said for many at once, within a moment.

A tight loop over many requests costs a third of doing the same after each: the interpreter's caches stay
warm. Only what is told waits, nothing of the application: it would be memory that the next requests miss.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import deque
from contextlib import suppress
from typing import cast

from platform_lib.telemetry._access import access_lines, quick_handler
from platform_lib.telemetry._ended import SERVER_ERROR, durations, log_request, somebody_meters, verdict
from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._kept_spans import kept_spans
from platform_lib.telemetry._recorder import Recorder, installed
from platform_lib.telemetry._request import Scope
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

running_loop = asyncio._get_running_loop  # noqa: SLF001  # documented for library authors; None without one
_MOST_WAITING = 256
_DELAY_SECONDS = 0.1  # a line is read by people and shippers, neither of which is quicker

Kept = tuple[Group, int, int, RequestSpan, bytes, str, bytes]
"""Group, end by the performance counter and duration, both in nanoseconds, span, its ids, path, and who
called, as attributes of the span."""

Ended = tuple[Group, int, int, RequestSpan, bytes, str, bytes | None]
"""The same; None stands for the caller where the span is not to be sent."""


class Endings:
    """The requests of one middleware that ended and are not told yet.

    A failure is told at once, after those that wait.

    Attributes:
        linked: whether the caller's trace context is a link, as it is at a public edge.
    """

    def __init__(self, *, linked: bool) -> None:
        self.linked = linked
        self._waiting: deque[Ended] = deque()
        self._recorder: Recorder | None = None  # of those that wait
        self._due_on: asyncio.AbstractEventLoop | None = None  # where a timer is set
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
        recorder = span.recorder
        if recorder is not self._recorder:
            self.settle()
            self._recorder = recorder
        group, failed = _usual_group(span, scope, status, failure), False
        if group is None:
            group, failed = _group_of(span, scope, status, failure)
        sampled: int
        if span.used:  # it may have ids of its own, or a decision that is another's
            ids, sampled = span.ids, span.sampled
        else:
            try:
                ids, sampled = recorder.drawn.pop()
            except IndexError:
                ids, sampled = recorder.draw()
            span.known_ids = ids  # for who still asks, such as a task that outlives the request
        kept = sampled or nanoseconds >= recorder.slow_nanoseconds or (failed and recorder.by_ratio)
        caller = None
        if kept and recorder.exports:
            caller = recorder.callers.of(scope, span, linked=self.linked)
        group.durations.waiting.append(nanoseconds)
        ended = group, moment, nanoseconds, span, ids, scope["path"], caller
        if failed or not group.line:
            self.settle()
            self._tell([ended], recorder, failed=failed)
            return
        waiting = self._waiting
        waiting.append(ended)
        if len(waiting) >= _MOST_WAITING:
            self.settle()
        elif self._due_on is not running_loop():
            self._settle_soon()

    def settle(self) -> None:
        """Tell everything about the requests that wait."""
        recorder = self._recorder
        if recorder is not None and (ended := _taken(self._waiting)):
            self._tell(ended, recorder)

    def _tell(self, ended: list[Ended], recorder: Recorder, *, failed: bool = False) -> None:
        """Tell everything about requests: one that failed or met no route, or several that did neither."""
        offset = time.time_ns() - time.perf_counter_ns()  # law-5: a span's clock is the machine's
        if kept := cast("list[Kept]", [each for each in ended if each[-1] is not None]):
            recorder.put(kept_spans(kept, offset), len(kept))
        recorder.groups.measured(len(ended))
        if somebody_meters():
            for group, _, nanoseconds, *_ in ended:
                durations.record(nanoseconds / 1_000_000_000, group.attributes)
        handler = quick_handler()
        if handler is None or failed or not ended[0][0].line:
            for group, _, nanoseconds, span, _, path, _ in ended:
                log_request(span, group.key, path, nanoseconds, failed=failed)
        else:
            handler.put(access_lines(handler, ended, offset))

    def forget(self) -> None:
        """Tell nothing about the requests that wait."""
        self._waiting.clear()

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
    """Forget the requests that wait, in a child that was forked, and ids: its parent tells and uses them."""
    for endings in list(_all):
        endings.forget()
    for recorder in installed:
        recorder.drawn.clear()


def _taken(waiting: deque[Ended]) -> list[Ended]:
    """Take what waits now; another thread may take at the same time, and each gets what it takes."""
    taken: list[Ended] = []
    with suppress(IndexError):
        while True:
            taken.append(waiting.popleft())
    return taken


def _usual_group(span: RequestSpan, scope: Scope, status: int | None, failure: str | None) -> Group | None:
    """Return the group of nearly every request in a short way; None goes the long one."""
    if failure is not None or (span.used and span.status):
        return None
    try:
        # FastAPI's own, private record of the route as included, prefixes and all.
        route = scope["fastapi"]["effective_route_context"] if "fastapi" in scope else scope["route"]
        group = span.recorder.groups.usual[status][scope["method"]][route.path_format]
        if (
            scope["root_path"]
            or "app_root_path" in scope
            or group.scheme != scope["scheme"]
            or group.version != scope["http_version"]
        ):
            return None
    except (AttributeError, LookupError, TypeError):
        return None
    return group


def _group_of(span: RequestSpan, scope: Scope, status: int | None, failure: str | None) -> tuple[Group, bool]:
    """Return the group of any request, and whether it failed."""
    failed = failure is not None or status is None or status >= SERVER_ERROR
    code, error = verdict(span, status, failure, failed=failed)
    # What a server may leave out (ASGI 3, HTTP connection scope).
    scheme, version = scope.get("scheme") or "http", scope.get("http_version") or "1.1"
    key = (scope["method"], http_route(scope), status, scheme, version, error, code)
    return span.recorder.groups.of(key), failed
