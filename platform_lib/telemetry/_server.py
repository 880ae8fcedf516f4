"""One server span and one access log line a request, for any ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter, perf_counter_ns
from types import FunctionType, MethodType

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind

from platform_lib._version import __version__
from platform_lib.telemetry._context import context_switch, inbound_context, parse_traceparent
from platform_lib.telemetry._ended import end_span
from platform_lib.telemetry._endings import Endings
from platform_lib.telemetry._failure import why_failed, why_incomplete
from platform_lib.telemetry._recorder import Recorder, installed
from platform_lib.telemetry._request import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    request_attributes,
    verb,
    wanted_headers,
)
from platform_lib.telemetry._request_span import RequestSpan

__all__ = ["App", "ServerSpans"]

_tracer = trace.get_tracer("platform_lib", __version__)
(_CURRENT,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())  # the key of the current span
_attach, _detach = context_switch()
_NONE_YET = object()  # unlike None, which stands for no recorder at all


class ServerSpans:
    """ASGI middleware: a span of kind SERVER around every HTTP request, and its access log line.

    At a public edge the caller's trace context is a stranger's: the span starts a new trace of its own and
    keeps the context as a link. With *trust_inbound* the span continues the caller's trace.
    The span stays current for the whole call, background tasks included. Server errors (500 and above, or an
    exception) have status ERROR and `error.type`; a 4xx is no error of the server's.

    Source: OpenTelemetry semantic conventions 1.44, HTTP server span (stable names).
    """

    def __init__(self, app: App, *, trust_inbound: bool = False) -> None:
        # An instance is called by its method: that the interpreter does without leaving its own loop.
        is_function = isinstance(app, FunctionType | MethodType)
        self._app: App = app if is_function else app.__call__  # type: ignore[operator]  # it is an instance
        self._trust_inbound = trust_inbound
        self._recorder: Recorder | object = _NONE_YET
        self._endings: Endings  # of that recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; anything but HTTP passes through."""
        # The keys by which FastAPI and Starlette recognise that someone else makes the server span.
        scope["fastapi.telemetry"] = None
        scope["starlette.opentelemetry"] = True
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        recorder = installed.recorder
        if recorder is not self._recorder and not self._uses(recorder):
            await self._through_the_api(scope, receive, send)
            return
        # Only what has to be known now; the rest is done for many requests at once, which costs a third.
        began = perf_counter_ns()
        endings = self._endings
        if endings.without_caller:
            span = RequestSpan()
            span.recorder = endings.recorder
            span.used = False
            context = Context({_CURRENT: span})
        else:
            span, context = self._start_recorded(endings.recorder, scope)
        status: int | None = None
        complete = False

        def observing_send(message: Message) -> Awaitable[None]:
            nonlocal status, complete
            kind = message["type"]
            if kind == "http.response.body":
                complete = "more_body" not in message or not message["more_body"]
            elif kind == "http.response.start":
                status = message["status"]
            elif kind == "http.response.pathsend":
                complete = True
            return send(message)

        failure: str | None = None
        token = _attach(context)
        try:
            await self._app(scope, receive, observing_send)
            if not complete:
                failure = why_incomplete(receive)
        except BaseException as error:
            failure = why_failed(error, status, complete=complete)
            raise
        finally:
            ended = perf_counter_ns()
            endings.add(span, scope, status, failure, ended, ended - began)
            _detach(token)

    def _uses(self, recorder: Recorder | None) -> bool:
        """Begin to use *recorder* and tell whether there is one."""
        if recorder is None:
            return False
        if self._recorder is not _NONE_YET:
            self._endings.settle()
        self._endings = Endings(recorder, linked=not self._trust_inbound)
        self._recorder = recorder
        return True

    def _start_recorded(self, recorder: Recorder, scope: Scope) -> tuple[RequestSpan, Context]:
        headers = wanted_headers(scope["headers"])
        context, links = self._caller(headers)
        span = recorder.start_below(context, lambda: request_attributes(scope, headers), links)
        return span, trace.set_span_in_context(span, context)

    async def _through_the_api(self, scope: Scope, receive: Receive, send: Send) -> None:
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
                failure = why_incomplete(receive)
        except BaseException as error:
            failure = why_failed(error, status, complete=complete)
            raise
        finally:
            end_span(span, scope, status, failure, perf_counter() - started)
            otel_context.detach(token)

    def _start(self, scope: Scope) -> tuple[Span, Context]:
        headers = wanted_headers(scope["headers"])
        context, links = self._caller(headers)
        span = _tracer.start_span(
            verb(scope["method"]),
            context=context,
            kind=SpanKind.SERVER,
            attributes=request_attributes(scope, headers),
            links=links,
        )
        return span, trace.set_span_in_context(span, context)

    def _caller(self, headers: dict[bytes, str]) -> tuple[Context, list[Link]]:
        """Return the context to start in, and a stranger's as a link."""
        traceparent = headers.get(b"traceparent")
        if self._trust_inbound:
            return inbound_context(traceparent, headers.get(b"tracestate"), headers.get(b"baggage")), []
        stranger = None if traceparent is None else parse_traceparent(traceparent)
        return Context(), [] if stranger is None else [Link(stranger)]
