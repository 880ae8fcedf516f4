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

from platform_lib.telemetry._access import access_lines, quick_handler
from platform_lib.telemetry._context import parse_traceparent
from platform_lib.telemetry._ended import SERVER_ERROR, durations, log_request, somebody_meters, verdict
from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._recorder import Recorder, Spans
from platform_lib.telemetry._request import Address, Headers, Scope, wanted_headers
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

running_loop = asyncio._get_running_loop  # noqa: SLF001  # documented for library authors; None without one
_MOST_WAITING = 64
_DELAY_SECONDS = 0.05  # a line is read by people and shippers, neither of which is quicker

Ended = tuple[Group, int, int, RequestSpan, str, Headers, Address | None, Address | None]
"""Group, end by the performance counter and duration, both in nanoseconds, span, path, headers, client and
server."""

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
        method, route = scope["method"], http_route(scope)
        try:
            scheme, version, client, server = (
                scope["scheme"],
                scope["http_version"],
                scope["client"],
                scope["server"],
            )
        except KeyError:
            self.add(span, _LEFT_OUT | dict(scope), status, failure, moment, nanoseconds)
            return
        failed = failure is not None or status is None or status >= SERVER_ERROR
        group = None
        if not failed and not (span.used and span.status):
            group = recorder.groups.usual.get((method, route, status))
        if group is None or group.scheme != scheme or group.version != version:
            code, error = verdict(span, status, failure, failed=failed)
            group = recorder.groups.of((method, route, status, scheme, version, error, code))
        ended = group, moment, nanoseconds, span, scope["path"], scope["headers"], client, server
        if failed or route is None:
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
        slow = 0 if failed and recorder.by_ratio else recorder.slow_nanoseconds
        spans, ids = Spans(), list[bytes]()
        for each, drawn, sampled in zip(ended, *recorder.draw(len(ended)), strict=True):
            group, moment, nanoseconds, span, path, headers, client, server = each
            if not span.used:
                own, kept = drawn, sampled
                span.known_ids = own  # for who still asks, such as a task that outlives the request
            else:  # it may have ids of its own, or a decision that is another's
                own, kept = span.ids, span.sampled
            if (kept or nanoseconds >= slow) and recorder.exports:
                sent = dict(headers)
                if self.linked and b"traceparent" in sent:
                    _link(span, headers)
                caller = recorder.caller(
                    sent.get(b"host"), sent.get(b"user-agent"), client, server, group.scheme
                )
                end = moment + offset
                spans.add(span, own, end - nanoseconds, end, group.constant, caller, path)
            group.durations.waiting.append(nanoseconds)
            ids.append(own)
        recorder.put(spans)
        recorder.groups.measured(len(ended))
        if somebody_meters():
            for group, _, nanoseconds, *_ in ended:
                durations.record(nanoseconds / 1_000_000_000, group.attributes)
        handler = quick_handler()
        if handler is None or failed or not ended[0][0].line:
            for group, _, nanoseconds, span, path, *_ in ended:
                log_request(span, group.key, path, nanoseconds, failed=failed)
        else:
            handler.put(access_lines(handler, ended, ids, offset))

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


def _link(span: RequestSpan, headers: Headers) -> None:
    """Link the span to the context that a stranger sent."""
    stranger = parse_traceparent(wanted_headers(headers).get(b"traceparent"))
    if stranger is not None:
        span.add_link(stranger, None)
