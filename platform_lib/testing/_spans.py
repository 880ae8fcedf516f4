"""The spans that the code under test ended, as a fixture."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from platform_lib.testing._traces import Forest, Key, context_of, key_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from platform_lib.clock import Clock


class CapturedSpans:
    """Spans that ended while a test ran, in the order in which they started.

    With a *clock* (a `TickingClock` say) durations are measured on it, a reading at each start and each end.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._lock = threading.Lock()
        self._ended: list[tuple[int, ReadableSpan]] = []
        self._seconds: dict[Key, float] = {}
        self._clock = clock

    def __len__(self) -> int:
        """Return how many spans ended so far."""
        return len(self._ended)

    def __iter__(self) -> Iterator[ReadableSpan]:
        """Iterate over the spans in the order in which they started."""
        with self._lock:
            spans = sorted(self._ended, key=lambda numbered: numbered[0])
        return iter([span for _, span in spans])

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of this name."""
        return [span for span in self if span.name == name]

    def trace_ids(self) -> list[str]:
        """Return the ids of the traces, 32 hexadecimal digits each, in the order in which they started."""
        return list(dict.fromkeys(_trace_id(span) for span in self))

    def trace(self, trace_id: str) -> list[ReadableSpan]:
        """Return the spans of one trace."""
        return [span for span in self if _trace_id(span) == trace_id]

    def one_trace(self) -> list[ReadableSpan]:
        """Return the spans of the only trace.

        Raises:
            AssertionError: there is none, or there are several; shows them.
        """
        ids = self.trace_ids()
        if len(ids) != 1:
            raise AssertionError(f"spans: expected one trace, captured {len(ids)}\n{self.forest()}".rstrip())
        return self.trace(ids[0])

    def tree(self, trace_id: str | None = None, *, durations: bool = False) -> str:
        """Return one trace, or the only one, as text: a line for each span, below its parent, in start order.

        A line is the name, the kind where it is not internal, and ``failed: <error.type>`` where the status
        is an error. No id and no time is in it, so it can be compared whole. With *durations* each line ends
        in milliseconds; the fixture ``spans`` has a ticking clock, so that they can be compared too.
        """
        spans = self.one_trace() if trace_id is None else self.trace(trace_id)
        return Forest(spans).draw(self._seconds if durations else None)

    def forest(self) -> str:
        """Return every trace as a tree, a blank line between two."""
        return "\n\n".join(Forest(self.trace(trace_id)).draw() for trace_id in self.trace_ids())

    def assert_path(self, *names: str) -> None:
        """Assert that in one trace each of *names* is a span somewhere below the one before.

        Raises:
            AssertionError: says how far the path leads, and shows the traces.
            ValueError: no name is given.
        """
        if not names:
            raise ValueError("spans: a path without names; name at least one span")
        reached = max((Forest(self.trace(one)).longest_path(names) for one in self.trace_ids()), default=0)
        if reached < len(names):
            where = f"below {' > '.join(names[:reached])}" if reached else "in any trace"
            raise AssertionError(f"spans: no {names[reached]!r} {where}; captured:\n{self._shown()}")

    def assert_count(self, name: str, times: int, *, per: str | None = None) -> None:
        """Assert that *times* spans are called *name*, in all traces together.

        With *per*, the name of an attribute: *times* for each of its values, looked for on the span and on
        those above it (``per="attempt.id"``: one call of the provider an attempt). A value without any such
        span counts as 0.

        Raises:
            AssertionError: says how many there are, and shows the traces.
        """
        if per is None:
            counts: dict[str | None, int] = {None: len(self.named(name))}
        else:
            counts = Forest(self).count_by(name, per)
            if None in counts or not counts:
                raise AssertionError(
                    f"spans: {counts.get(None, 0)} of {name!r} have no {per!r} on or above them; "
                    f"captured:\n{self._shown()}"
                )
        wrong = {value: count for value, count in counts.items() if count != times}
        if wrong:
            found = ", ".join(
                f"{count} for {per}={value}" if per else str(count) for value, count in wrong.items()
            )
            raise AssertionError(
                f"spans: expected {times} of {name!r}, found {found}; captured:\n{self._shown()}"
            )

    def clear(self) -> None:
        """Forget what was captured so far."""
        with self._lock:
            self._ended.clear()
            self._seconds.clear()

    def reading(self) -> float | None:
        """Return the time on the clock of this capture, in seconds; None without one."""
        return self._clock.monotonic() if self._clock else None

    def add(self, number: int, span: ReadableSpan, started: float | None) -> None:
        """Take a span that ended and was the *number*-th to start, *started* on the clock of this capture."""
        ended = self.reading() if started is not None else None
        with self._lock:
            self._ended.append((number, span))
            self._seconds[key_of(span)] = (
                ended - started
                if ended is not None and started is not None
                else ((span.end_time or 0) - (span.start_time or 0)) / 1e9
            )

    def _shown(self) -> str:
        return self.forest() or "nothing"


def _trace_id(span: ReadableSpan) -> str:
    return format(context_of(span).trace_id, "032x")


class _Recorder:
    """Hands each ended span to whoever captures now; one is attached to the process's provider for good."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        # By the identity of the span's context: ids may begin anew while an older span is still open.
        self._started: dict[int, tuple[int, dict[CapturedSpans, float | None]]] = {}
        self.captures: list[CapturedSpans] = []
        self.counted_trace_ids: Iterator[int] | None = None
        self.counted_span_ids: Iterator[int] | None = None

    def started(self, span: ReadableSpan) -> None:
        readings = {capture: capture.reading() for capture in list(self.captures)}
        self._started[id(span.get_span_context())] = next(self._numbers), readings

    def ended(self, span: ReadableSpan) -> None:
        number, readings = self._started.pop(id(span.get_span_context()), (0, {}))
        for capture in list(self.captures):
            capture.add(number, span, readings.get(capture))

    def count_ids(self, *, anew: bool) -> None:
        self.counted_trace_ids = itertools.count(1) if anew else None
        self.counted_span_ids = itertools.count(1) if anew else None


_recorder: _Recorder | None = None


@contextmanager
def capture_spans(*, clock: Clock | None = None, count_ids: bool = False) -> Iterator[CapturedSpans]:
    """Capture every span that ends in this process meanwhile.

    Where the process has no tracer provider yet, one that samples everything and exports nowhere is set;
    OpenTelemetry allows that once, so it stays. With *count_ids* trace and span ids count from one, unless
    another capture is under way or the provider is another's; *clock* measures the durations.
    """
    global _recorder  # noqa: PLW0603  # as global as the provider it is attached to
    if _recorder is None:
        _recorder = _attach(_Recorder())
    captured = CapturedSpans(clock)
    counts = count_ids and not _recorder.captures
    if counts:
        _recorder.count_ids(anew=True)
    _recorder.captures.append(captured)
    try:
        yield captured
    finally:
        _recorder.captures.remove(captured)
        if counts:
            _recorder.count_ids(anew=False)


def _attach(recorder: _Recorder) -> _Recorder:
    from opentelemetry import trace  # noqa: PLC0415  # the SDK is loaded only by tests that look at spans
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import DEFAULT_ON  # noqa: PLC0415

    class Processor(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            del parent_context
            recorder.started(span)

        def on_end(self, span: ReadableSpan) -> None:
            recorder.ended(span)

    class Ids(
        RandomIdGenerator
    ):  # counted ids say that they are random, so that headers are as in production
        def generate_span_id(self) -> int:
            counted = recorder.counted_span_ids
            return next(counted) if counted else super().generate_span_id()

        def generate_trace_id(self) -> int:
            counted = recorder.counted_trace_ids
            return next(counted) if counted else super().generate_trace_id()

    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider(sampler=DEFAULT_ON, shutdown_on_exit=False, id_generator=Ids())
        trace.set_tracer_provider(provider)
    provider.add_span_processor(Processor())
    return recorder
