"""From spans that the SDK recorded to the outlet; imported only when telemetry starts.

Spans of the SDK's tracers and those of the recorder leave through one outlet, in one request.
"""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from platform_lib._version import __version__
from platform_lib.telemetry._collector import deliver_to
from platform_lib.telemetry._encoding import scope_part, sdk_span
from platform_lib.telemetry._outlet import Outlet
from platform_lib.telemetry._plan import Destination, Queue

OUR_SCOPE = scope_part(InstrumentationScope("platform_lib", __version__))
"""The instrumentation scope of server spans and their metric."""


class OutletProcessor(SpanProcessor):
    """Hands the spans that the SDK recorded to the outlet, as bytes."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._scopes: dict[InstrumentationScope | None, bytes] = {}

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span if it is sampled."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        scope = span.instrumentation_scope
        part = self._scopes.get(scope)
        if part is None:
            part = self._scopes[scope] = scope_part(scope)
        self._outlet.put(part, sdk_span(span), 1)

    def shutdown(self) -> None:
        """Send what is queued and end the outlet."""
        self._outlet.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until nothing is queued, within the time given."""
        return self._outlet.flush(timeout_millis / 1000)


def outlet(resource: bytes, destination: Destination, queue: Queue, *, what: str) -> Outlet:
    """Start an outlet of *what* to *destination*; *resource* is encoded."""
    return Outlet(resource, deliver_to(destination), what=what, queue=queue)
