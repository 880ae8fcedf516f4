"""The span of one request, as the code inside sees it: a real OpenTelemetry span that costs almost nothing.

What the platform itself knows of a request is not in here; the recorder encodes it when the request ends.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from struct import Struct
from typing import TYPE_CHECKING

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from platform_lib.telemetry._encoding import SERVER_ATTRIBUTE, event_part, links_part, trace_state_part
from platform_lib.telemetry._wire import attributes, number

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from platform_lib.telemetry._recorder import Recorder

_SAMPLED = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_NOT_SAMPLED = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
IDS = Struct("16s8s")
"""Trace id and span id, one after the other as they are drawn and kept."""

_MAX_EVENTS = 128  # the SDK's default limit of events and of links
_NO_STATE = TraceState()

# Of these names the recorder has the word, whatever was set.
OURS = frozenset(
    {
        "client.address",
        "http.request.method",
        "http.request.method_original",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "server.address",
        "server.port",
        "url.path",
        "url.scheme",
        "user_agent.original",
    }
)


class RequestSpan(Span):
    """A span of kind SERVER that its middleware starts and ends.

    No text of an exception gets into it: `record_exception` keeps the type, a status keeps its code only.

    Ids and the head decision are made when somebody asks: of most requests nobody does before they ended.

    Attributes:
        recorder: whose span it is.
        known_ids: the bytes of trace id and span id, once they are made.
        decision: the head decision, once it is made.
        status: the code that was set from inside.
        extras: attributes that were set from inside.
        parent: the caller's context, where it is trusted.
        used: whether it was asked or told anything.
        touched: whether it has more to tell than the recorder knows.
    """

    # Set on the span by whoever starts it: reading an attribute of the class costs five times as much.
    recorder: Recorder
    used: bool
    # Most requests leave these alone; while *used* is False they need not be read.
    known_ids: bytes | None = None
    decision: bool | None = None
    status = 0
    extras: BoundedAttributes | None = None
    parent: SpanContext | None = None
    trace_state: TraceState | None = None
    touched = False
    _context: SpanContext | None = None
    _events: list[bytes] | None = None
    _links: list[Link] | None = None
    _dropped_events = 0

    @property
    def ids(self) -> bytes:
        """Trace id and span id, as `IDS` packs them, made on first use."""
        if self.known_ids is None:
            self.used = True
            self.known_ids = self.recorder.new_ids()
        return self.known_ids

    @property
    def sampled(self) -> bool:
        """The head decision."""
        if self.decision is None:
            self.decision = self.recorder.samples(self.ids)
        return self.decision

    def get_span_context(self) -> SpanContext:
        """Return the ids, made on first use."""
        context = self._context
        if context is None:
            flags = _SAMPLED if self.sampled else _NOT_SAMPLED
            if self.parent is not None and not self.parent.trace_flags.random_trace_id:
                flags = TraceFlags(flags & TraceFlags.SAMPLED)
            trace_id, span_id = IDS.unpack(self.ids)
            context = self._context = SpanContext(
                int.from_bytes(trace_id, "big"),
                int.from_bytes(span_id, "big"),
                is_remote=False,
                trace_flags=flags,
                trace_state=self.trace_state or _NO_STATE,
            )
        return context

    @property
    def attributes(self) -> Mapping[str, object]:
        """What the code inside the request has set so far."""
        return self.extras or {}

    @property
    def kind(self) -> SpanKind:
        """SERVER."""
        return SpanKind.SERVER

    def is_recording(self) -> bool:
        """Return whether the head decision was to keep the span."""
        return self.sampled

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Keep an attribute, within the SDK's limits of number and length."""
        if self.extras is None:
            most, longest = self.recorder.limits
            self.extras = BoundedAttributes(most, immutable=False, max_value_len=longest)
            self.used = self.touched = True
        self.extras[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Keep several attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(
        self, name: str, attributes: Mapping[str, AttributeValue] | None = None, timestamp: int | None = None
    ) -> None:
        """Keep an event; *timestamp* is in Unix nanoseconds, now if there is none."""
        if self._events is None:
            self._events = []
            self.used = self.touched = True
        if len(self._events) >= _MAX_EVENTS:
            self._dropped_events += 1
            return
        most, longest = self.recorder.limits
        kept = BoundedAttributes(most, attributes, max_value_len=longest)
        moment = timestamp or time.time_ns()  # law-5: a span's clock is the one its children use
        self._events.append(event_part(name, moment, tuple(kept.items()), kept.dropped))

    def add_link(self, context: SpanContext, attributes: Mapping[str, AttributeValue] | None = None) -> None:
        """Keep a link to another span."""
        if self._links is None:
            self._links = []
            self.used = self.touched = True
        if context.is_valid and len(self._links) < _MAX_EVENTS:
            self._links.append(Link(context, attributes))

    def update_name(self, name: str) -> None:
        """Do nothing: the name of a server span is its method and route."""

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Keep the code and drop the description, in which exceptions put their text; OK is final."""
        del description
        code = (status.status_code if isinstance(status, Status) else status).value
        if code and self.status != StatusCode.OK.value:
            self.used = True
            self.status = code

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, AttributeValue] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002  # the signature of the OpenTelemetry API
    ) -> None:
        """Keep an event with the exception's type; its text may hold a card number and is not kept."""
        del attributes, escaped
        kind = type(exception)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        self.add_event("exception", {"exception.type": name}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """Do nothing: the span ends with the request."""

    def encoded_extras(self) -> bytes:
        """Return what was set from inside, as fields of a span."""
        encoded = b""
        if self.extras is not None:
            kept = [(name, value) for name, value in self.extras.items() if name not in OURS]
            encoded = attributes(SERVER_ATTRIBUTE, kept) + number(10, self.extras.dropped)
        if self._events is not None:
            encoded += b"".join(self._events) + number(12, self._dropped_events)
        if self._links is not None:
            encoded += links_part(self._links)
        if self.trace_state:
            encoded += trace_state_part(self.get_span_context())
        return encoded
