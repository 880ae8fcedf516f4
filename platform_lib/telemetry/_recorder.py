"""Server spans recorded without the SDK's span objects: ids, sampling decision, and bytes at the end.

It stands in for the SDK's tracer only while nobody else listens to the spans of the provider that
`start_telemetry` set; otherwise the middleware goes through the OpenTelemetry API.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind

from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._kept_spans import Callers
from platform_lib.telemetry._request_span import IDS, OURS, RequestSpan

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import Sampler

_NEVER = 1 << 63  # nanoseconds
_AT_ONCE = 64  # ids; a call of the system costs as much for one
_apart = Struct(f"{IDS.size}s" * _AT_ONCE).unpack


class Recorder:
    """Starts and ends the server spans of this process.

    Attributes:
        on: whether the SDK's tracer can be stood in for; False for good once another processor listens.
        exports: whether spans leave the process.
        by_ratio: whether the configured ratio decides, and not a sampler of the operator's own.
        groups: the kinds of requests, with their durations.
        callers: who called, encoded.
        edge: what `samples` says of most ids: their ninth byte is below it, or above.
        limits: how many attributes a span has at most, and how long they are; None is no limit.
        slow_nanoseconds: from here on a request is kept whatever the ratio decided.
    """

    def __init__(
        self,
        *,
        sampler: Sampler,
        ratio_bound: int | None,
        scope: bytes,
        put: Callable[[bytes, bytes, int], None] | None,
        groups: Groups,
        limits: tuple[int | None, int | None] = (128, None),
        slow_seconds: float = 1.0,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.on = True
        self.groups = groups
        self._sampler = sampler
        self.by_ratio = ratio_bound is not None
        self._bound = _as_bytes(ratio_bound or 0)  # it keeps a trace whose id ends in eight bytes below it
        self.edge = self._bound[0]
        self._scope = scope
        self._put = put
        self.exports = put is not None
        self.limits = limits
        self.slow_nanoseconds = round(slow_seconds * 1_000_000_000) if self.by_ratio else _NEVER
        self._random_bytes = random_bytes  # by default the system's: nobody's seed repeats our ids
        self.callers = Callers()

    def new_ids(self) -> bytes:
        """Return ids of a new trace and its first span, as `IDS` packs them."""
        return self._random_bytes(IDS.size)

    def samples(self, ids: bytes) -> bool:
        """Return the decision of the ratio about a trace: by the low 64 bits of its id, as the SDK."""
        return ids[8:16] < self._bound

    def draws(self) -> Iterator[bytes]:
        """Return ids without end, each as `new_ids` gives it; many are drawn at once."""
        return chain.from_iterable(iter(self._draw, ()))

    def _draw(self) -> tuple[bytes, ...]:
        return _apart(self._random_bytes(IDS.size * _AT_ONCE))

    def span_of(self, ids: bytes) -> RequestSpan:
        """Return a span for a request that ended before anybody asked its own, with the ids it was given."""
        span = RequestSpan()
        span.recorder, span.used, span.known_ids = self, True, ids
        return span

    def start_below(
        self, context: Context, request: Callable[[], Mapping[str, str | int]], links: Sequence[Link]
    ) -> RequestSpan:
        """Start a span below the caller's, if *context* has one, or by a sampler of the operator's own.

        *request* gives the attributes that such a sampler may want to see.
        """
        parent = trace.get_current_span(context).get_span_context()
        span = RequestSpan()
        span.recorder, span.used = self, False
        if parent.is_valid:
            span.used = span.touched = True
            span.parent = parent
            span.known_ids = parent.trace_id.to_bytes(16, "big") + span.ids[16:]
        if self.by_ratio:
            if span.parent is not None:
                span.decision = parent.trace_flags.sampled
                span.trace_state = parent.trace_state
            return span
        number = int.from_bytes(span.ids[:16], "big")
        result = self._sampler.should_sample(context, number, "HTTP", SpanKind.SERVER, request(), links)
        span.decision = result.decision.name == "RECORD_AND_SAMPLE"
        span.trace_state = result.trace_state
        span.used = span.touched = True
        for name, value in (result.attributes or {}).items():
            if name not in OURS:
                span.set_attribute(name, value)
        return span

    def put(self, spans: bytes, count: int) -> None:
        """Hand encoded spans to the outlet."""
        if self._put is not None:
            self._put(self._scope, spans, count)


def _as_bytes(bound: int) -> bytes:
    """Return eight bytes that compare as *bound* does; nine if every number is below it."""
    return b"\xff" * 9 if bound >= 1 << 64 else bound.to_bytes(8, "big")


class Installed:
    """What `ServerSpans` uses.

    Attributes:
        recorder: None where spans go through the OpenTelemetry API.
    """

    recorder: Recorder | None = None


installed = Installed()


def install(recorder: Recorder) -> None:
    """Make *recorder* the one that `ServerSpans` uses, once a process, as the provider is.

    One that is retired is not used.
    """
    if recorder.on:
        installed.recorder = recorder


def retire(recorder: Recorder) -> None:
    """Use *recorder* no more: somebody else listens to the spans of its provider."""
    recorder.on = False
    if installed.recorder is recorder:
        installed.recorder = None
