"""What is said about one request when it ended: its verdict, its duration, its access line."""

from __future__ import annotations

import logging

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.trace import Span, StatusCode

from platform_lib.telemetry._access import access
from platform_lib.telemetry._catalogue import server_request_duration
from platform_lib.telemetry._constant import Constant
from platform_lib.telemetry._groups import Groups, Key, attributes_of_duration
from platform_lib.telemetry._request import METHODS, Scope, verb
from platform_lib.telemetry._request_span import RequestSpan
from platform_lib.telemetry._route import http_route

SERVER_ERROR = 500
_OK, _ERROR = StatusCode.OK.value, StatusCode.ERROR.value

# For whoever sets a meter provider of their own; without one, recording in it does nothing.
durations = server_request_duration


collected: list[Groups] = []
"""Where the platform's own meter provider counts requests, if it was started."""


def collect_in(groups: Groups) -> None:
    """Count every request in *groups*, which the platform's own meter provider sends; once a process."""
    collected[:] = [groups]


def somebody_meters() -> bool:
    """Whether a meter provider of somebody else's is set; the API's own stand-in takes no measurements."""
    if collected:
        return False
    return not type(metrics.get_meter_provider()).__module__.startswith("opentelemetry.metrics")


def verdict(
    span: RequestSpan, status: int | None, failure: str | None, *, failed: bool
) -> tuple[int, str | None]:
    """Return the status code of a recorded span and its `error.type`, which every error has."""
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
    failed = failure is not None or status is None or status >= SERVER_ERROR
    error = (failure or str(status)) if failed else None
    if span.is_recording():
        attributes: dict[str, str | int] = {}
        if route is not None:
            span.update_name(f"{verb(scope['method'])} {route}")
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
    if collected:
        groups = collected[0]
        key = (method, route, status, scheme, version, error, 0)
        groups.of(key).durations.waiting.append(round(seconds * 1_000_000_000))
        groups.measured(1)
    else:
        durations.record(seconds, attributes_of_duration(method, route, status, scheme, version, error))
    _log(scope["method"], scope["path"], route, status, failure, seconds, failed=failed)
    span.end()


def log_request(span: Span, kind: Key, path: str, nanoseconds: int, *, failed: bool) -> None:
    """Write the access line of a recorded request through logging; the line names the trace of *span*.

    *path* stands where *kind* has no route.
    """
    token = otel_context.attach(trace.set_span_in_context(span))
    method, route, status, _, _, error, _ = kind
    _log(method, path, route, status, error, nanoseconds / 1_000_000_000, failed=failed)
    otel_context.detach(token)


def _log(
    sent: str,
    path: str,
    route: str | None,
    status: int | None,
    failure: str | None,
    seconds: float,
    *,
    failed: bool,
) -> None:
    level = logging.ERROR if failed else logging.INFO
    if not access.isEnabledFor(level):
        return
    method = verb(sent)
    line = f"{method} {route or path} {status or failure}"
    extra: dict[str, object] = {"http.method": Constant(method), "http.status": status}
    if route is not None:
        line, extra["http.route"] = Constant(line), Constant(route)
    extra["duration_ms"] = round(seconds * 1000, 2)
    access.log(level, line, extra=extra)
