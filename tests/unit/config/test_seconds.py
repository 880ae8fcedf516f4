"""Durations are read as people write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from platform_lib.config import Seconds

adapter: TypeAdapter[float] = TypeAdapter(Seconds)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (5, 5.0),
        (0.25, 0.25),
        (0, 0.0),
        ("5", 5.0),
        ("0.5", 0.5),
        ("250ms", 0.25),
        ("5s", 5.0),
        ("1.5s", 1.5),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("1d", 86400.0),
        ("1m500ms", 60.5),
        (" 2s ", 2.0),
    ],
)
def test_durations_become_seconds(written: object, seconds: float) -> None:
    value = adapter.validate_python(written)

    assert value == seconds
    assert isinstance(value, float)


@pytest.mark.parametrize(
    "written",
    [
        -1,
        "-5s",
        "5 s",
        "5S",
        "s",
        "",
        "five",
        "5y",
        "1e3",
        "5s2",
        float("inf"),
        float("nan"),
        "inf",
        True,
        None,
        [5],
        "1_0",
    ],
)
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="must be a duration such as"):
        adapter.validate_python(written)


@given(
    st.integers(0, 10**6), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)])
)
def test_a_number_with_a_unit_is_the_number_times_the_unit(number: int, unit: tuple[str, float]) -> None:
    name, factor = unit

    assert adapter.validate_python(f"{number}{name}") == pytest.approx(number * factor)


@given(st.text())
def test_no_text_raises_anything_but_a_validation_error(text: str) -> None:
    try:
        value = adapter.validate_python(text)
    except ValueError:
        return
    assert value >= 0
