"""One server span and one access log line a request, for any ASGI application."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from time import perf_counter
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from platform_lib._version import __version__
from platform_lib.redaction import redact
from platform_lib.telemetry._constant import Constant
from platform_lib.telemetry._context import inbound_context, parse_traceparent
from platform_lib.telemetry._route import http_route
from platform_lib.telemetry._spans import error_type

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_WANTED = frozenset({b"host", b"user-agent", b"traceparent", b"tracestate", b"baggage"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SERVER_ERROR = 500
_MAX_USER_AGENT = 256
_MAX_HOST = 255

_tracer = trace.get_tracer("platform_lib", __version__)
_access = logging.getLogger("platform_lib.access")


class ServerSpans:
    """ASGI middleware: a span of kind SERVER around every HTTP request, and its access log line.

    At a public edge the caller's trace context is a stranger's: the span starts a new trace of its own and
    keeps the context as a link. With *trust_inbound* the span continues the caller's trace.
    The span stays current for the whole call, background tasks included. Server errors (500 and above, or an
    exception) have status ERROR and `error.type`; a 4xx is no error of the server's.

    Source: OpenTelemetry semantic conventions 1.44, HTTP server span (stable names).
    """

    def __init__(self, app: App, *, trust_inbound: bool = False) -> None:
        self._app = app
        self._trust_inbound = trust_inbound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; anything but HTTP passes through."""
        # The keys by which FastAPI and Starlette recognise that someone else makes the server span.
        scope["fastapi.telemetry"] = None
        scope["starlette.opentelemetry"] = True
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        span, context = self._start(scope)
        status: int | None = None
        complete = False

        async def observing_send(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            if message["type"] == "http.response.pathsend" or (
                message["type"] == "http.response.body" and not message.get("more_body", False)
            ):
                complete = True

        failure: str | None = None
        token = otel_context.attach(context)
        try:
            await self._app(scope, receive, observing_send)
            if not complete:
                failure = "incomplete_response"
        except BaseException as error:
            failure = error_type(error)
            raise
        finally:
            _finish(span, scope, status, failure, perf_counter() - started)
            otel_context.detach(token)

    def _start(self, scope: Scope) -> tuple[Span, Context]:
        headers = _wanted_headers(scope)
        traceparent, tracestate = headers.get(b"traceparent"), headers.get(b"tracestate")
        links: list[Link] = []
        if self._trust_inbound:
            context = inbound_context(traceparent, tracestate, headers.get(b"baggage"))
        else:
            context = Context()
            stranger = parse_traceparent(traceparent)
            if stranger is not None:
                links.append(Link(stranger))
        method = scope["method"]
        known = method in _METHODS
        span = _tracer.start_span(
            method if known else "HTTP",
            context=context,
            kind=SpanKind.SERVER,
            attributes=_request_attributes(scope, headers, known=known),
            links=links,
        )
        return span, trace.set_span_in_context(span, context)


@lru_cache(maxsize=256)
def _redacted(header: str) -> str:
    return redact(header)  # a caller says the same with every request


def _wanted_headers(scope: Scope) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _WANTED:
            if name in found and name == b"traceparent":
                found[name] = ""  # two parents are none (W3C Trace Context section 3.2)
                continue
            found[name] = value.decode("latin-1")
    return found


def _request_attributes(scope: Scope, headers: dict[bytes, str], *, known: bool) -> dict[str, str | int]:
    scheme = scope.get("scheme") or "http"
    attributes: dict[str, str | int] = {
        "http.request.method": scope["method"] if known else "_OTHER",
        "url.scheme": scheme,
        "url.path": redact(scope["path"]),
        "network.protocol.version": scope.get("http_version") or "1.1",
    }
    if not known:
        attributes["http.request.method_original"] = redact(scope["method"][:32])
    address, port = _authority(headers.get(b"host"))
    if address is None and scope.get("server"):
        address, port = scope["server"]
    if address:
        attributes["server.address"] = _redacted(address[:_MAX_HOST])
        attributes["server.port"] = port or _DEFAULT_PORTS.get(scheme, 80)
    if scope.get("client"):
        attributes["client.address"] = scope["client"][0]
    user_agent = headers.get(b"user-agent")
    if user_agent:
        attributes["user_agent.original"] = _redacted(user_agent[:_MAX_USER_AGENT])
    return attributes


def _authority(host: str | None) -> tuple[str | None, int | None]:
    """Split a Host header; what is malformed is no address."""
    if not host:
        return None, None
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return host, None
    return (name, int(port)) if name and port.isdecimal() and len(port) <= len("65535") else (None, None)


def _finish(span: Span, scope: Scope, status: int | None, failure: str | None, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "HTTP"
    route = http_route(scope)
    failed = failure is not None or status is None or status >= _SERVER_ERROR
    if span.is_recording():
        attributes: dict[str, str | int] = {}
        if route is not None:
            span.update_name(f"{method} {route}")
            attributes["http.route"] = route
        if status is not None:
            attributes["http.response.status_code"] = status
        if failed:
            span.set_status(StatusCode.ERROR)
            # A handler inside knows the exception that became a 500; its word is better than the number.
            if "error.type" not in (getattr(span, "attributes", None) or {}):
                attributes["error.type"] = failure or str(status)
        span.set_attributes(attributes)
    level = logging.ERROR if failed else logging.INFO
    if _access.isEnabledFor(level):
        line = f"{method} {route or scope['path']} {status or failure}"
        extra = {
            "http.method": Constant(method),
            "http.status": status,
            "duration_ms": round(seconds * 1000, 2),
        }
        if route is not None:
            line, extra["http.route"] = Constant(line), Constant(route)
        _access.log(level, line, extra=extra)
    span.end()
