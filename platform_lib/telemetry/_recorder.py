"""Server spans recorded without the SDK's span objects: ids, sampling decision, and bytes at the end.

It stands in for the SDK's tracer only while nobody else listens to the spans of the provider that
`start_telemetry` set; otherwise the middleware goes through the OpenTelemetry API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind

from platform_lib.telemetry._encoding import (
    SERVER_ATTRIBUTE,
    parent_part,
    path_attribute,
    span_bytes,
)
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._request_span import OURS, RequestSpan
from platform_lib.telemetry._wire import attributes

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import Sampler

_MAX_CALLERS = 1024
_UNTOUCHED = len(vars(RequestSpan(b"", False)))  # noqa: FBT003  # what a span has that nobody set
_ROOT = parent_part(None)

Caller = tuple[bytes | None, bytes | None, str | None, str]
"""Host header, user agent, client address, scheme."""


class Recorder:
    """Starts and ends the server spans of this process.

    Attributes:
        on: whether the SDK's tracer can be stood in for; False for good once another processor listens.
        exports: whether spans leave the process.
        callers: who called whom, encoded.
        by_ratio: whether the configured ratio decides, and not a sampler of the operator's own.
        groups: the kinds of requests, with their durations.
        slow_seconds: from here on a request is kept whatever the ratio had decided.
    """

    def __init__(
        self,
        *,
        sampler: Sampler,
        ratio_bound: int | None,
        scope: bytes,
        put: Callable[[bytes, bytes], None] | None,
        groups: Groups,
        limits: tuple[int | None, int | None] = (128, None),
        slow_seconds: float = 1.0,
        random: Random | None = None,
    ) -> None:
        self.on = True
        self.groups = groups
        self._sampler = sampler
        self.by_ratio = ratio_bound is not None
        self._bound = ratio_bound or 0
        self._scope = scope
        self._put = put
        self.exports = put is not None
        self._limits = None if limits == RequestSpan.limits else limits
        self.slow_seconds = slow_seconds
        # A generator of our own, seeded by the system: whoever seeds the global one shall not repeat our ids.
        self._bits = (random or Random()).getrandbits  # noqa: S311  # law-5: ids are no secrets
        self.callers: dict[Caller, bytes] = {}

    def start(self) -> RequestSpan:
        """Start a new trace, decided by the ratio."""
        ids = self._bits(192).to_bytes(24, "big")
        span = RequestSpan(ids, int.from_bytes(ids[8:16], "big") < self._bound)  # the low 64 bits, as the SDK
        if self._limits is not None:
            span.limits = self._limits
        return span

    def start_below(
        self, context: Context, request: Callable[[], Mapping[str, str | int]], links: Sequence[Link]
    ) -> RequestSpan:
        """Start a span below the caller's, if *context* has one, or by a sampler of the operator's own.

        *request* gives the attributes that such a sampler may want to see.
        """
        parent = trace.get_current_span(context).get_span_context()
        span = self.start()
        if parent.is_valid:
            span.parent = parent
            span.ids = parent.trace_id.to_bytes(16, "big") + span.ids[16:]
        if self.by_ratio:
            if span.parent is not None:
                span.sampled = parent.trace_flags.sampled
                span.trace_state = parent.trace_state
            return span
        number = int.from_bytes(span.ids[:16], "big")
        result = self._sampler.should_sample(context, number, "HTTP", SpanKind.SERVER, request(), links)
        span.sampled = result.decision.name == "RECORD_AND_SAMPLE"
        span.trace_state = result.trace_state
        for name, value in (result.attributes or {}).items():
            if name not in OURS:
                span.set_attribute(name, value)
        return span

    def caller(self, key: Caller, items: Mapping[str, str | int]) -> bytes:
        """Encode the attributes that say who called whom, and keep them under *key*."""
        if len(self.callers) >= _MAX_CALLERS:
            self.callers.clear()
        known = self.callers[key] = attributes(SERVER_ATTRIBUTE, items.items())
        return known

    def keep(self, span: RequestSpan, rest: bytes, path: str, start: int, end: int) -> None:
        """Encode a span that ended and hand it to the outlet; times in Unix nanoseconds."""
        rest += path_attribute(path) + (_ROOT if span.parent is None else parent_part(span.parent))
        if len(vars(span)) > _UNTOUCHED:
            rest += span.encoded_extras()
        if self._put is not None:
            self._put(self._scope, span_bytes(span.ids[:16], span.ids[16:], start, end, rest))


_installed: list[Recorder] = []


def install(recorder: Recorder) -> None:
    """Make *recorder* the one that `ServerSpans` uses; once a process, as the provider is."""
    _installed[:] = [recorder]


def installed() -> Recorder | None:
    """Return the recorder to use, or None if the OpenTelemetry API has to be used."""
    return _installed[0] if _installed and _installed[0].on else None
