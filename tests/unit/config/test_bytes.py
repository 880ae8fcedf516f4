"""Sizes are read as people write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from platform_lib.config import Bytes, Settings, load
from platform_lib.config._bytes import format_bytes, parse_bytes
from platform_lib.errors import ConfigError

adapter: TypeAdapter[int] = TypeAdapter(Bytes)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (0, 0),
        (1048576, 1048576),
        (5.0, 5),
        ("1048576", 1048576),
        ("1_000", 1000),
        ("100B", 100),
        ("1kB", 1000),
        ("1KB", 1000),
        ("512KiB", 524288),
        ("10MiB", 10485760),
        ("1.5MiB", 1572864),
        ("2 GB", 2_000_000_000),
        (" 1TiB ", 1024**4),
    ],
)
def test_sizes_become_bytes(written: object, size: int) -> None:
    value = adapter.validate_python(written)

    assert value == size
    assert isinstance(value, int)


@pytest.mark.parametrize(
    "written", [-1, "-1", True, 1.5, "1.5", "0.3kiB", "10M", "10mb", "1 MiB MiB", "", None, "inf", [1]]
)
def test_what_is_no_size_or_may_mean_two_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="must be a size such as"):
        parse_bytes(written)


@given(st.integers(min_value=0, max_value=2**60))
def test_a_size_that_is_written_is_read_as_the_same(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == size


def test_sizes_are_written_in_the_largest_unit() -> None:
    assert [format_bytes(size) for size in (0, 5, 1000, 1024, 1048576, 1500)] == [
        "0", "5", "1kB", "1KiB", "1MiB", "1500",
    ]  # fmt: skip


def test_the_report_says_what_a_size_looks_like() -> None:
    class ShopSettings(Settings, prefix="SHOP"):
        body: Bytes = 1

    with pytest.raises(ConfigError) as caught:
        load(ShopSettings, environ={"SHOP_BODY": "10M"})

    assert "body: '10M' is not valid" in str(caught.value)
    assert "expected a size such as 1048576, 512KiB, 10MiB or 1GB" in str(caught.value)
