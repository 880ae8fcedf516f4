"""Shares are read as numbers and as percentages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from platform_lib.config import Ratio
from platform_lib.config._ratio import format_ratio, parse_ratio

adapter: TypeAdapter[float] = TypeAdapter(Ratio)


@pytest.mark.parametrize(
    ("written", "ratio"),
    [
        (0, 0.0),
        (1, 1.0),
        (0.25, 0.25),
        ("0.1", 0.1),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("10%", 0.1),
        ("5 %", 0.05),
        ("0.1%", 0.001),
        (" 100% ", 1.0),
    ],
)
def test_shares_become_numbers_from_0_to_1(written: object, ratio: float) -> None:
    value = adapter.validate_python(written)

    assert value == ratio
    assert isinstance(value, float)


@pytest.mark.parametrize(
    "written", [5, "5", -0.1, "-1%", "101%", True, "nan", "inf", float("nan"), "%", "", "ten", None]
)
def test_what_is_no_share_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="must be a share of a whole"):
        parse_ratio(written)


@given(st.floats(min_value=0, max_value=1))
def test_a_share_that_is_written_is_read_as_the_same(ratio: float) -> None:
    assert parse_ratio(format_ratio(ratio)) == ratio


def test_shares_are_written_in_percent() -> None:
    assert [format_ratio(ratio) for ratio in (0.0, 0.05, 0.125, 1.0)] == ["0%", "5%", "12.5%", "100%"]
