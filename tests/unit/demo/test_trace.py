"""One trace drawn as a tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paypath.demo.trace import Span, draw, tree


def span(number: int, parent: int | None, name: str = "", *, kind: int = 1, start: int | None = None) -> Span:
    begin = number if start is None else start
    return Span(
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=name or f"span {number}",
        kind=kind,
        service="payments",
        start_ns=begin * 1_000_000,
        end_ns=(begin + 2) * 1_000_000,
    )


def test_children_stand_below_their_parent_in_the_order_they_started() -> None:
    spans = [
        span(4, 1, "publish", kind=4),
        span(3, 2, "provider", kind=3),
        span(2, 1, "authorise payment"),
        span(1, None, "POST /v1/payments", kind=2),
    ]

    lines = draw(spans)

    assert [branch + drawn.name for branch, drawn in tree(spans)] == [
        "POST /v1/payments",
        "├─ authorise payment",
        "│  └─ provider",
        "└─ publish",
    ]
    assert "request" in lines[0]
    assert "2.0 ms" in lines[0]


def test_a_span_whose_parent_did_not_arrive_is_a_root() -> None:
    assert [branch for branch, _ in tree([span(2, 1), span(3, 2)])] == ["", "└─ "]


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=30))
def test_every_span_is_drawn_once(parents: list[int | None]) -> None:
    # A parent is an earlier span, as in every real trace.
    spans = [
        span(number, None if parent is None or parent >= number else parent)
        for number, parent in enumerate(parents)
    ]

    assert sorted(drawn.span_id for _, drawn in tree(spans)) == sorted(s.span_id for s in spans)
