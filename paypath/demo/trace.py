"""A finished span, and one trace drawn as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# The SpanKind numbers of OTLP's trace.proto, with the words shown to people.
_internal, _server, _client, _producer, _consumer = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Span:
    """One finished span, as OTLP carries it; ids in lower-case hex, times in Unix nanoseconds."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: int
    service: str
    start_ns: int
    end_ns: int
    attributes: dict[str, str | int | bool | float] = field(default_factory=dict)
    failed: bool = False

    @property
    def milliseconds(self) -> float:
        """Return how long it took."""
        return (self.end_ns - self.start_ns) / 1e6

    @property
    def role(self) -> str:
        """Return what part of the system this is, in one word."""
        if "outbox" in self.name:
            return "outbox"
        if "db.system.name" in self.attributes:
            return "database"
        if self.kind == _server:
            return "request"
        if self.kind == _client:
            return "provider call"
        if self.kind in {_producer, _consumer}:
            return "broker"
        return "use case"


def tree(spans: Iterable[Span]) -> Iterator[tuple[str, Span]]:
    """Yield each span with the branch to draw before it: parents first, children in the order they started.

    A span whose parent is not among *spans* is drawn as a root.
    """
    spans = sorted(spans, key=lambda span: (span.start_ns, span.end_ns))
    known = {span.span_id for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in spans:
        parent = span.parent_id if span.parent_id in known else None
        children.setdefault(parent, []).append(span)

    def below(parent: str | None, indent: str) -> Iterator[tuple[str, Span]]:
        family = children.get(parent, [])
        for position, span in enumerate(family):
            last = position == len(family) - 1
            if parent is None:
                yield "", span
                yield from below(span.span_id, "")
            else:
                yield f"{indent}{'└─ ' if last else '├─ '}", span
                yield from below(span.span_id, f"{indent}{'   ' if last else '│  '}")

    yield from below(None, "")


def draw(spans: Iterable[Span]) -> list[str]:
    """Return one line a span: branch and name, what it is, how long it took."""
    rows = [(branch + span.name, span) for branch, span in tree(spans)]
    width = max((len(label) for label, _ in rows), default=0)
    return [
        f"{label:<{width}}  {span.role:<13}  {span.milliseconds:7.1f} ms{'  error' if span.failed else ''}"
        for label, span in rows
    ]
