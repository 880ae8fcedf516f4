"""Trace context in and out: W3C Trace Context (level 1 section 3.2), parsed strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Token

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.trace.span import TraceState

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_KNOWN_FLAGS = TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
_MAX_TRACESTATE = 512  # characters that section 3.3.1.5 asks everyone to propagate
_baggage = W3CBaggagePropagator()


def parse_traceparent(traceparent: str | None, tracestate: str | None = None) -> SpanContext | None:
    """Read a `traceparent`; nothing but a well-formed one gives a span context.

    Source: W3C Trace Context section 3.2.2: lower-case hex, no zero ids, version ff forbidden, version 00
    of exactly 55 characters, later versions may carry more after a dash.
    """
    if traceparent is None or len(traceparent) > _MAX_TRACESTATE:
        return None
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest is not None):
        return None
    state = None
    if tracestate and len(tracestate) <= _MAX_TRACESTATE:
        state = TraceState.from_header([tracestate])
    context = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16) & _KNOWN_FLAGS),
        trace_state=state,
    )
    return context if context.is_valid else None


def current_traceparent() -> str | None:
    """Return the current span as a `traceparent`, to be stored or sent; None outside of any span."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & _KNOWN_FLAGS:02x}"


def current_trace_id() -> str | None:
    """Return the current trace's id as 32 hex digits; None outside of any span."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def outbound_headers() -> dict[str, str]:
    """Return the headers that carry the current trace to a peer inside the trust boundary.

    Never for a peer outside of it: trace ids and baggage are nobody else's business.
    """
    headers: dict[str, str] = {}
    traceparent = current_traceparent()
    if traceparent is None:
        return headers
    headers["traceparent"] = traceparent
    state = trace.get_current_span().get_span_context().trace_state
    if state:
        headers["tracestate"] = state.to_header()
    _baggage.inject(headers)
    return headers


def inbound_context(
    traceparent: str | None, tracestate: str | None = None, baggage: str | None = None
) -> Context:
    """Return an otherwise empty context that continues a trusted caller's trace and baggage."""
    context = Context()
    if baggage:
        context = _baggage.extract({"baggage": baggage}, context)
    parent = parse_traceparent(traceparent, tracestate)
    return context if parent is None else trace.set_span_in_context(NonRecordingSpan(parent), context)


def context_switch() -> tuple[Callable[[Context], Token[Context]], Callable[[Token[Context]], None]]:
    """Return what attaches and detaches a context: the API's functions, or what they end in.

    The four calls between them and the context variable are one in fifty of a request. An operator may have
    chosen another keeper of contexts (`OTEL_PYTHON_CONTEXT`); then it is the API's own functions.
    """
    keeper = otel_context._RUNTIME_CONTEXT  # noqa: SLF001  # checked on the next line
    if type(keeper) is not ContextVarsRuntimeContext:
        return otel_context.attach, otel_context.detach
    variable = keeper._current_context  # noqa: SLF001  # the same

    return variable.set, variable.reset


@contextmanager
def remote_parent(traceparent: str | None) -> Iterator[SpanContext | None]:
    """Make the spans inside children of a stored or received `traceparent`.

    Gives the parent's span context. None or a malformed value gives None, and the spans inside start a new
    trace: they never join whatever happened to be current.
    """
    parent = parse_traceparent(traceparent)
    root = trace.INVALID_SPAN if parent is None else NonRecordingSpan(parent)
    token = otel_context.attach(trace.set_span_in_context(root))
    try:
        yield parent
    finally:
        otel_context.detach(token)
