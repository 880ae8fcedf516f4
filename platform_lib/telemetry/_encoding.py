"""Spans as OTLP bytes: what is the same for every span of a kind is encoded once and kept.

Source: opentelemetry/proto/trace/v1/trace.proto; the fields are those that the SDK's own exporter sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

from platform_lib.telemetry._wire import (
    attributes,
    fixed32,
    fixed64,
    message,
    number,
    text,
    varint,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext

# trace id, span id, start and end, each behind its tag: these four differ with every span.
_identity = Struct("<2s16s2s8scQcQ").pack
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_KINDS = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}
SERVER_ATTRIBUTE = 9  # field of an attribute in a span


def span_bytes(trace_id: bytes, span_id: bytes, start: int, end: int, rest: bytes) -> bytes:
    """Return a span as a field of `ScopeSpans`: its identity, its time in Unix nanoseconds, and *rest*."""
    content = _identity(b"\x0a\x10", trace_id, b"\x12\x08", span_id, b"\x39", start, b"\x41", end) + rest
    return b"\x12" + varint(len(content)) + content


def constant_part(name: str, kind: SpanKind, status_code: int, items: Iterable[tuple[str, object]]) -> bytes:
    """Return what spans of one group share: name, kind, status and attributes."""
    return (
        text(5, name)
        + number(6, _KINDS[kind])
        + message(15, number(3, status_code))
        + attributes(SERVER_ATTRIBUTE, items)
    )


def parent_part(parent: SpanContext | None) -> bytes:
    """Return the parent's id and the flags that say whether the parent is in another process."""
    if parent is None:
        return fixed32(16, _HAS_IS_REMOTE)
    remote = _IS_REMOTE if parent.is_remote else 0
    return message(4, parent.span_id.to_bytes(8, "big")) + fixed32(16, _HAS_IS_REMOTE | remote)


def trace_state_part(context: SpanContext) -> bytes:
    """Return the trace state; none takes no bytes."""
    return text(3, ",".join(f"{key}={value}" for key, value in context.trace_state.items()))


def links_part(links: Sequence[Link]) -> bytes:
    """Return the links of a span."""
    return b"".join(
        message(
            13,
            message(1, link.context.trace_id.to_bytes(16, "big"))
            + message(2, link.context.span_id.to_bytes(8, "big"))
            + attributes(4, (link.attributes or {}).items())
            + number(5, link.dropped_attributes)
            + fixed32(6, _HAS_IS_REMOTE | (_IS_REMOTE if link.context.is_remote else 0)),
        )
        for link in links
    )


def event_part(name: str, timestamp: int, items: Iterable[tuple[str, object]], dropped: int = 0) -> bytes:
    """Return an event of a span, at *timestamp* in Unix nanoseconds."""
    return message(11, fixed64(1, timestamp) + text(2, name) + attributes(3, items) + number(4, dropped))


def sdk_span(span: ReadableSpan) -> bytes:
    """Return a span that the SDK recorded, as a field of `ScopeSpans`."""
    context = span.get_span_context()
    if context is None:  # the type allows it; a span that was started has one
        raise ValueError(f"span {span.name}: has no context")
    status = number(3, span.status.status_code.value) + text(2, span.status.description or "")
    rest = (
        text(5, span.name)
        + number(6, _KINDS[span.kind])
        + message(15, status)
        + attributes(SERVER_ATTRIBUTE, (span.attributes or {}).items())
        + number(10, span.dropped_attributes)
        + b"".join(
            event_part(
                event.name,
                event.timestamp,
                tuple((event.attributes or {}).items()),
                event.dropped_attributes,
            )
            for event in span.events
        )
        + number(12, span.dropped_events)
        + links_part(span.links)
        + number(14, span.dropped_links)
        + parent_part(span.parent)
        + trace_state_part(context)
    )
    return span_bytes(
        context.trace_id.to_bytes(16, "big"),
        context.span_id.to_bytes(8, "big"),
        span.start_time or 0,
        span.end_time or 0,
        rest,
    )


def scope_part(scope: InstrumentationScope | None) -> bytes:
    """Return what stands before the spans of a scope in `ScopeSpans`, the schema included."""
    if scope is None:
        return message(1, b"")
    content = text(1, scope.name) + text(2, scope.version or "")
    content += attributes(3, (scope.attributes or {}).items())
    return message(1, content) + text(3, scope.schema_url or "")


def resource_part(resource: Resource) -> bytes:
    """Return what stands before the scopes in `ResourceSpans` and `ResourceMetrics`."""
    content = attributes(1, resource.attributes.items())
    return message(1, content) + text(3, resource.schema_url)


def spans_request(resource: bytes, spans: Iterable[tuple[bytes, bytes, int]]) -> bytes:
    """Return an `ExportTraceServiceRequest` of a scope's part, the bytes of spans, and their number, each."""
    scopes: dict[bytes, list[bytes]] = {}
    for scope, encoded, _ in spans:
        scopes.setdefault(scope, []).append(encoded)
    return message(
        1, resource + b"".join(message(2, scope + b"".join(group)) for scope, group in scopes.items())
    )
