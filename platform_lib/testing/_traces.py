"""Spans as trees: drawing them, finding paths in them, counting in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

Key = tuple[int, int]


def context_of(span: ReadableSpan) -> SpanContext:
    """Return the ids of *span*."""
    context = span.get_span_context()
    if context is None:  # the type allows it; a span that was started has one
        raise ValueError(f"spans: {span.name} has no context")
    return context


def key_of(span: ReadableSpan) -> Key:
    """Return what tells *span* from all others."""
    context = context_of(span)
    return context.trace_id, context.span_id


class Forest:
    """Spans below their parents; siblings keep the order in which they are given.

    A span whose parent is in another process, or has not ended, is a root.
    """

    def __init__(self, spans: Iterable[ReadableSpan]) -> None:
        self._spans = {key_of(span): span for span in spans}
        self._children: dict[Key | None, list[ReadableSpan]] = {}
        for span in self._spans.values():
            parent = self._parent(span)
            self._children.setdefault(key_of(parent) if parent else None, []).append(span)

    def draw(self, seconds: Mapping[Key, float] | None = None) -> str:
        """Return a line for each span, deeper ones indented; with *seconds*, how long each took."""

        def lines(parent: Key | None, depth: int) -> Iterator[str]:
            for span in self._children.get(parent, []):
                took = "" if seconds is None else f" {seconds[key_of(span)] * 1000:g} ms"
                yield "  " * depth + _line(span) + took
                yield from lines(key_of(span), depth + 1)

        return "\n".join(lines(None, 0))

    def longest_path(self, names: Sequence[str]) -> int:
        """Return how many of *names*, from the first, are found each below the one before."""
        reached = 0

        def search(parent: Key | None, found: int) -> None:
            nonlocal reached
            reached = max(reached, found)
            for span in self._children.get(parent, []):
                if reached == len(names):
                    return
                search(key_of(span), found + (span.name == names[found]))

        search(None, 0)
        return reached

    def count_by(self, name: str, attribute: str) -> dict[str | None, int]:
        """Return how many spans are called *name* for each value of *attribute*, on them or next above them.

        A value that is anywhere in the forest counts, be it with 0; None stands for spans without one.
        """
        values = {str(value) for span in self._spans.values() if (value := _attribute(span, attribute))}
        counted = Counter(
            self._nearest(span, attribute) for span in self._spans.values() if span.name == name
        )
        return {**dict.fromkeys(sorted(values), 0), **counted}

    def _nearest(self, span: ReadableSpan | None, attribute: str) -> str | None:
        while span is not None:
            value = _attribute(span, attribute)
            if value is not None:
                return str(value)
            span = self._parent(span)
        return None

    def _parent(self, span: ReadableSpan) -> ReadableSpan | None:
        return self._spans.get((span.parent.trace_id, span.parent.span_id)) if span.parent else None


def _attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


def _line(span: ReadableSpan) -> str:
    kind = span.kind.name.lower()
    text = span.name if kind == "internal" else f"{span.name} ({kind})"
    if span.status.status_code.name == "ERROR":
        text += f" failed: {(span.attributes or {}).get('error.type', 'unknown')}"
    return text
