"""How long work may still take, and how that is written down."""

from __future__ import annotations

import pytest

from platform_lib._deadline import Deadline, current_deadline, format_budget, keep_to, parse_budget
from platform_lib.clock import ManualClock


def test_a_deadline_comes_nearer_and_passes() -> None:
    clock = ManualClock()
    deadline = Deadline.after(2, clock)

    clock.advance(3)

    assert deadline.remaining() == -1


def test_a_deadline_holds_for_the_code_inside() -> None:
    deadline = Deadline.after(2, ManualClock())

    with keep_to(deadline):
        assert current_deadline() is deadline
    assert current_deadline() is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("1500", 1.5), ("999999999", 999_999.999)]
    + [(text, None) for text in ("", "-1", "1.5", "1s", " 1", "٣", "1000000000")],
)
def test_a_budget_is_whole_milliseconds_and_nothing_else(text: str, seconds: float | None) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize(("seconds", "text"), [(1.5, "1500"), (0.0019, "1"), (0, "0"), (-3, "0")])
def test_a_budget_is_rounded_down(seconds: float, text: str) -> None:
    assert format_budget(seconds) == text
