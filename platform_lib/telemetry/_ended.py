"""What is said about a request when it ended: its span, its duration, its access line."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections import deque

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.trace import Span, StatusCode

from platform_lib._version import __version__
from platform_lib.telemetry._access import access, access_line, quick_handler
from platform_lib.telemetry._constant import Constant
from platform_lib.telemetry._context import parse_traceparent
from platform_lib.telemetry._groups import BOUNDS, attributes_of_duration
from platform_lib.telemetry._logs import PlatformHandler
from platform_lib.telemetry._recorder import Recorder
from platform_lib.telemetry._request import (
    METHODS,
    Scope,
    caller_attributes,
    redacted_path,
    verb,
    wanted_headers,
)
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

_SERVER_ERROR = 500
_MOST_WAITING = 64
_DELAY_SECONDS = 0.05  # a line is read by people and shippers, neither of which is quicker
_OK, _ERROR = StatusCode.OK.value, StatusCode.ERROR.value

# For whoever sets a meter provider of their own; without one, recording in it does nothing.
_durations = metrics.get_meter("platform_lib", __version__).create_histogram(
    "http.server.request.duration",
    unit="s",
    description="Duration of HTTP server requests.",
    explicit_bucket_boundaries_advisory=BOUNDS,
)


Record = tuple[Recorder, RequestSpan, Scope, int | None, str | None, int, int]
"""Recorder, span, scope, status, failure, begin by the performance counter and duration, nanoseconds."""


class Endings:
    """Requests that ended: what is said about them is said for many at once, within a moment.

    A tight loop over many requests costs a third of doing the same after each: the interpreter's caches stay
    warm. A failure is dealt with at once, after those that wait.

    Attributes:
        linked: whether the caller's trace context is a link, as it is at a public edge.
    """

    def __init__(self, *, linked: bool) -> None:
        self.linked = linked
        self._waiting: deque[Record] = deque()
        _all.add(self)

    def add(self, record: Record) -> None:
        """Take a request that ended just now, in the context it ran in."""
        waiting = self._waiting
        waiting.append(record)
        _, _, scope, status, failure, _, _ = record
        if failure is not None or status is None or status >= _SERVER_ERROR or "route" not in scope:
            self.settle()
        elif len(waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(_DELAY_SECONDS, self.settle)
            except RuntimeError:  # served by another kind of event loop
                self.settle()
        elif len(waiting) >= _MOST_WAITING:
            self.settle()

    def settle(self) -> None:
        """Say everything about the requests that wait."""
        offset = time.time_ns() - time.perf_counter_ns()  # law-5: a span's clock is the machine's
        handler = quick_handler()
        lines: list[str] = []
        waiting = self._waiting
        while waiting:
            try:
                record = waiting.popleft()
            except IndexError:  # another thread's event loop was quicker
                break
            self._settle(record, offset, handler, lines)
        if handler is not None and lines:
            handler.put(lines)

    def _settle(self, record: Record, offset: int, handler: PlatformHandler | None, lines: list[str]) -> None:
        recorder, span, scope, status, failure, began, nanoseconds = record
        route = http_route(scope)
        failed = failure is not None or status is None or status >= _SERVER_ERROR
        code = span.status
        error: str | None = None
        if failed or code:
            code, error = _verdict(span, status, failure, failed=failed)
        method = scope["method"]
        scheme = scope.get("scheme") or "http"
        key = (method, route, status, scheme, scope.get("http_version") or "1.1", error, code)
        group = recorder.groups.known.get(key) or recorder.groups.group(key)
        seconds = nanoseconds / 1_000_000_000
        group.durations.record(seconds)
        _durations.record(seconds, group.attributes)
        start = began + offset
        slow = seconds >= recorder.slow_seconds
        if recorder.exports and (span.sampled or (recorder.by_ratio and (failed or slow))):
            caller = self._caller(recorder, span, scope, scheme)
            path = redacted_path(scope["path"])
            recorder.keep(span, group.constant + caller, path, start, start + nanoseconds)
        if handler is None or failed or route is None:
            if handler is not None and lines:
                handler.put(lines)
                lines.clear()
            token = otel_context.attach(trace.set_span_in_context(span))  # the line names its trace
            _log(scope, route, status, failure, seconds, failed=failed)
            otel_context.detach(token)
        else:
            lines.append(access_line(handler, group, span.ids.hex(), start + nanoseconds, nanoseconds))

    def _caller(self, recorder: Recorder, span: RequestSpan, scope: Scope, scheme: str) -> bytes:
        """Return who called whom, encoded; callers come back, so it is kept. Adds the stranger's link."""
        host = agent = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"user-agent":
                agent = value
            elif name == b"traceparent" and self.linked:
                stranger = parse_traceparent(wanted_headers(scope)[b"traceparent"])
                if stranger is not None:
                    span.add_link(stranger)
        client = scope.get("client")
        key = (host, agent, client and client[0], scheme)
        known = recorder.callers.get(key)
        return (
            recorder.caller(key, caller_attributes(scope, wanted_headers(scope))) if known is None else known
        )


_all: weakref.WeakSet[Endings] = weakref.WeakSet()


def settle_all() -> None:
    """Say everything about every request that ended in this process."""
    for endings in list(_all):
        endings.settle()


def _verdict(
    span: RequestSpan, status: int | None, failure: str | None, *, failed: bool
) -> tuple[int, str | None]:
    """Return the span's status code and its `error.type`, which every error has."""
    code = span.status
    if failed and code != _OK:
        code = _ERROR
    if not failed and code != _ERROR:
        return code, None
    # A handler inside knows the exception that became a 500; its word is better than the number.
    told = span.extras.pop("error.type", None) if span.extras is not None else None
    return code, str(told or failure or (status if failed else "_OTHER"))


def end_span(span: Span, scope: Scope, status: int | None, failure: str | None, seconds: float) -> None:
    """End a request whose span came from the OpenTelemetry API."""
    route = http_route(scope)
    failed = failure is not None or status is None or status >= _SERVER_ERROR
    error = (failure or str(status)) if failed else None
    if span.is_recording():
        attributes: dict[str, str | int] = {}
        if route is not None:
            span.update_name(f"{verb(scope)} {route}")
            attributes["http.route"] = route
        if status is not None:
            attributes["http.response.status_code"] = status
        if error is not None:
            span.set_status(StatusCode.ERROR)
            # A handler inside knows the exception that became a 500; its word is better than the number.
            told = (getattr(span, "attributes", None) or {}).get("error.type")
            attributes["error.type"] = error = str(told or error)
        span.set_attributes(attributes)
    method = scope["method"] if scope["method"] in METHODS else "_OTHER"
    version, scheme = scope.get("http_version") or "1.1", scope.get("scheme") or "http"
    _durations.record(seconds, attributes_of_duration(method, route, status, scheme, version, error))
    _log(scope, route, status, failure, seconds, failed=failed)
    span.end()


def _log(
    scope: Scope, route: str | None, status: int | None, failure: str | None, seconds: float, *, failed: bool
) -> None:
    level = logging.ERROR if failed else logging.INFO
    if not access.isEnabledFor(level):
        return
    method = verb(scope)
    line = f"{method} {route or scope['path']} {status or failure}"
    extra = {
        "http.method": Constant(method),
        "http.status": status,
        "duration_ms": round(seconds * 1000, 2),
    }
    if route is not None:
        line, extra["http.route"] = Constant(line), Constant(route)
    access.log(level, line, extra=extra)
