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

from platform_lib.telemetry._access import Told, access_lines, quick_handler
from platform_lib.telemetry._context import parse_traceparent
from platform_lib.telemetry._ended import SERVER_ERROR, durations, log_request, somebody_meters, verdict
from platform_lib.telemetry._groups import Key
from platform_lib.telemetry._logs import PlatformHandler
from platform_lib.telemetry._recorder import Recorder, Spans
from platform_lib.telemetry._request import Address, Headers, Scope, wanted_headers
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

running_loop = asyncio._get_running_loop  # noqa: SLF001  # documented for library authors; None without one
_MOST_WAITING = 64
_DELAY_SECONDS = 0.05  # a line is read by people and shippers, neither of which is quicker

Ended = tuple[Recorder, RequestSpan, Key, bool, str, Headers, Address | None, Address | None, int, int]
"""Recorder, span, kind, whether it failed, path, headers, client, server, begin by the performance counter
and duration, both in nanoseconds."""

# What a server may leave out (ASGI 3, HTTP connection scope).
_LEFT_OUT = {"scheme": "http", "http_version": "1.1", "client": None, "server": None}


class Endings:
    """The requests of one middleware that ended and are not told yet.

    A failure is told at once, after those that wait.

    Attributes:
        linked: whether the caller's trace context is a link, as it is at a public edge.
    """

    def __init__(self, *, linked: bool) -> None:
        self.linked = linked
        self._waiting: deque[Ended] = deque()
        self._due_on: asyncio.AbstractEventLoop | None = None  # where a timer is set
        _all.add(self)

    def add(
        self,
        recorder: Recorder,
        span: RequestSpan,
        scope: Scope,
        status: int | None,
        failure: str | None,
        began: int,
        nanoseconds: int,
    ) -> None:
        """Take a request that ended just now, in the context it ran in."""
        route = http_route(scope)
        try:
            scheme, version, client, server = (
                scope["scheme"],
                scope["http_version"],
                scope["client"],
                scope["server"],
            )
        except KeyError:
            self.add(recorder, span, _LEFT_OUT | dict(scope), status, failure, began, nanoseconds)
            return
        code, error = 0, None
        failed = failure is not None or status is None or status >= SERVER_ERROR
        if failed or span.status:
            code, error = verdict(span, status, failure, failed=failed)
        kind = (scope["method"], route, status, scheme, version, error, code)
        waiting = self._waiting
        waiting.append(
            (
                recorder,
                span,
                kind,
                failed,
                scope["path"],
                scope["headers"],
                client,
                server,
                began,
                nanoseconds,
            )
        )
        if failed or route is None:
            self.settle()
            return
        if len(waiting) >= _MOST_WAITING:
            self.settle()
        elif self._due_on is not running_loop():
            self._settle_soon()

    def settle(self) -> None:
        """Tell everything about the requests that wait."""
        ended = _taken(self._waiting)
        if not ended:
            return
        offset = time.time_ns() - time.perf_counter_ns()  # law-5: a span's clock is the machine's
        handler = quick_handler()
        meter = durations if somebody_meters() else None
        spans, good = Spans(), list[Told]()
        fresh = iter(ended[0][0].new_ids(len(ended)))
        for recorder, span, kind, failed, path, headers, client, server, began, nanoseconds in ended:
            group = recorder.groups.known.get(kind) or recorder.groups.group(kind)
            seconds = nanoseconds / 1_000_000_000
            group.durations.record(seconds)
            if meter is not None:
                meter.record(seconds, group.attributes)
            end = began + offset + nanoseconds
            ids = span.known_ids
            if ids is None:
                ids = span.known_ids = next(fresh)
            kept = span.decision  # as `span.sampled`, without the two calls
            if kept is None:
                kept = ids[8:16] < recorder.bound
            if not kept and recorder.by_ratio:
                kept = failed or nanoseconds >= recorder.slow_nanoseconds
            if kept and recorder.exports:
                told = dict(headers)
                if self.linked and b"traceparent" in told:
                    _link(span, headers)
                caller = recorder.caller(told.get(b"host"), told.get(b"user-agent"), client, server, kind[3])
                spans.add(span, ids, end - nanoseconds, end, group.constant, caller, path)
            if handler is not None and group.line and not failed:
                good.append((group, ids, end, nanoseconds))
            else:
                _write(handler, good)
                log_request(span, kind, path, seconds, failed=failed)
        recorder.put(spans)
        _write(handler, good)

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
    """Forget the requests that wait, in a child that was forked: its parent tells of them."""
    for endings in list(_all):
        endings.forget()


def _taken(waiting: deque[Ended]) -> list[Ended]:
    """Take what waits now; another thread may take at the same time, and each gets what it takes."""
    taken: list[Ended] = []
    with suppress(IndexError):
        while True:
            taken.append(waiting.popleft())
    return taken


def _write(handler: PlatformHandler | None, told: list[Told]) -> None:
    if handler is not None and told:
        handler.put(access_lines(handler, told))
        told.clear()


def _link(span: RequestSpan, headers: Headers) -> None:
    """Link the span to the context that a stranger sent."""
    stranger = parse_traceparent(wanted_headers(headers).get(b"traceparent"))
    if stranger is not None:
        span.add_link(stranger, None)
