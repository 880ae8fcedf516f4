"""Trace context in and out: W3C Trace Context level 2, read strictly and written as version 00."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Token

from opentelemetry import baggage as otel_baggage
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from platform_lib.telemetry._baggage import parse_baggage, sent_baggage
from platform_lib.telemetry._propagators import propagators
from platform_lib.telemetry._trace_state import parse_tracestate, sent_tracestate

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_KNOWN_FLAGS = TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID
_MAX_TRACEPARENT = 512  # characters; a version to come may be longer than 55, but not by anything


def parse_traceparent(traceparent: str | None, tracestate: str | None = None) -> SpanContext | None:
    """Read a `traceparent`; nothing but a well-formed one gives a span context.

    White space around it is none of it. A later version is read as far as version 00 knows it. Of the flags,
    *sampled* (01) and *random-trace-id* (02) are kept and the others dropped. *tracestate* holds the lines of
    that header joined by commas; if it is invalid it counts as empty, and the traceparent stands.
    Source: W3C Trace Context level 2, "Traceparent Header" and "Versioning of traceparent".
    """
    if traceparent is None or len(traceparent) > _MAX_TRACEPARENT:
        return None
    match = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest is not None):
        return None
    context = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16) & _KNOWN_FLAGS),
        trace_state=parse_tracestate([tracestate]) if tracestate else None,
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
    At most 512 characters of `tracestate` and 64 members or 8192 bytes of `baggage` are sent;
    `OTEL_PROPAGATORS` may want less.
    """
    headers: dict[str, str] = {}
    wanted = propagators()
    traceparent = current_traceparent()
    if traceparent is None:
        return headers
    if "tracecontext" in wanted:
        headers["traceparent"] = traceparent
        if state := sent_tracestate(trace.get_current_span().get_span_context().trace_state):
            headers["tracestate"] = state
    if "baggage" in wanted and (members := sent_baggage(otel_baggage.get_all())):
        headers["baggage"] = members
    return headers


def inbound_context(
    traceparent: str | None, tracestate: str | None = None, baggage: str | None = None
) -> Context:
    """Return an otherwise empty context that continues a trusted caller's trace and baggage.

    `OTEL_PROPAGATORS` may want less.
    """
    context, wanted = Context(), propagators()
    if baggage and "baggage" in wanted:
        for name, value in parse_baggage(baggage).items():
            context = otel_baggage.set_baggage(name, value, context)
    parent = parse_traceparent(traceparent, tracestate) if "tracecontext" in wanted else None
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
