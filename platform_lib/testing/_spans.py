"""The spans that the code under test ended, as a fixture."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext


class CapturedSpans:
    """Spans that ended while a test ran, in the order in which they started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: list[tuple[int, ReadableSpan]] = []

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

    def tree(self, trace_id: str | None = None) -> str:
        """Return one trace, or the only one, as text: a line for each span, below its parent, in start order.

        A line is the name, the kind where it is not internal, and ``failed: <error.type>`` where the status
        is an error. No id and no time is in it, so it can be compared whole.
        """
        return _tree(self.one_trace() if trace_id is None else self.trace(trace_id))

    def forest(self) -> str:
        """Return every trace as a tree, a blank line between two."""
        return "\n\n".join(_tree(self.trace(trace_id)) for trace_id in self.trace_ids())

    def clear(self) -> None:
        """Forget what was captured so far."""
        with self._lock:
            self._ended.clear()

    def add(self, number: int, span: ReadableSpan) -> None:
        """Take a span that ended and was the *number*-th to start."""
        with self._lock:
            self._ended.append((number, span))


def _trace_id(span: ReadableSpan) -> str:
    return format(_context(span).trace_id, "032x")


def _context(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    if context is None:  # the type allows it; a span that was started has one
        raise ValueError(f"spans: {span.name} has no context")
    return context


def _tree(spans: Iterable[ReadableSpan]) -> str:
    spans = list(spans)
    known = {_context(span).span_id for span in spans}
    children: dict[int | None, list[ReadableSpan]] = {}
    for span in spans:
        # A parent in another process, or one that has not ended, is not here: the span is then a root.
        parent = span.parent.span_id if span.parent and span.parent.span_id in known else None
        children.setdefault(parent, []).append(span)

    def lines(parent: int | None, depth: int) -> Iterator[str]:
        for span in children.get(parent, []):
            yield "  " * depth + _line(span)
            yield from lines(_context(span).span_id, depth + 1)

    return "\n".join(lines(None, 0))


def _line(span: ReadableSpan) -> str:
    kind = span.kind.name.lower()
    text = span.name if kind == "internal" else f"{span.name} ({kind})"
    if span.status.status_code.name == "ERROR":
        text += f" failed: {(span.attributes or {}).get('error.type', 'unknown')}"
    return text


class _Recorder:
    """Hands each ended span to whoever captures now; one is attached to the process's provider for good."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._started: dict[int, int] = {}
        self.captures: list[CapturedSpans] = []

    def started(self, span_id: int) -> None:
        self._started[span_id] = next(self._numbers)

    def ended(self, span: ReadableSpan) -> None:
        number = self._started.pop(_context(span).span_id, 0)
        for capture in list(self.captures):
            capture.add(number, span)


_recorder: _Recorder | None = None


@contextmanager
def capture_spans() -> Iterator[CapturedSpans]:
    """Capture every span that ends in this process meanwhile.

    Where the process has no tracer provider yet, one that samples everything and exports nowhere is set;
    OpenTelemetry allows that once, so it stays.
    """
    global _recorder  # noqa: PLW0603  # as global as the provider it is attached to
    if _recorder is None:
        _recorder = _attach(_Recorder())
    captured = CapturedSpans()
    _recorder.captures.append(captured)
    try:
        yield captured
    finally:
        _recorder.captures.remove(captured)


def _attach(recorder: _Recorder) -> _Recorder:
    from opentelemetry import trace  # noqa: PLC0415  # the SDK is loaded only by tests that look at spans
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import DEFAULT_ON  # noqa: PLC0415

    class Processor(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            del parent_context
            recorder.started(span.get_span_context().span_id)

        def on_end(self, span: ReadableSpan) -> None:
            recorder.ended(span)

    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider(sampler=DEFAULT_ON, shutdown_on_exit=False)
        trace.set_tracer_provider(provider)
    provider.add_span_processor(Processor())
    return recorder
