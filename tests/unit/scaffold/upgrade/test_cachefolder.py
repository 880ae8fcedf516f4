"""The cache folder does not grow for ever, and nothing in it is taken from whoever works."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from paypath.scaffold.upgrade.cachefolder import workroom
from platform_lib.clock import ManualClock
from tests.unit.scaffold.conftest import write

_day = 24 * 60 * 60.0
_kept = ("renders/records/a.json", "checkouts/1/copier.yml", "carried/2/mirror.git/HEAD")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def cache(tmp_path: Path, clock: ManualClock) -> Path:
    """A cache folder that a first run began and left something in."""
    cache = tmp_path / "cache"
    cache.mkdir()
    with workroom(cache, clock):
        write(cache, dict.fromkeys(_kept, "kept"))
    return cache


def _left(cache: Path) -> list[str]:
    return [path for path in _kept if (cache / path).exists()]


def test_what_is_kept_serves_for_thirty_days(cache: Path, clock: ManualClock) -> None:
    clock.advance(30 * _day - 1)

    with workroom(cache, clock):
        assert _left(cache) == list(_kept)


def test_after_thirty_days_it_is_begun_anew(cache: Path, clock: ManualClock) -> None:
    clock.advance(30 * _day)
    with workroom(cache, clock) as room:
        assert room.is_dir()
        assert _left(cache) == []
        write(cache, {_kept[0]: "anew"})

    clock.advance(29 * _day)
    with workroom(cache, clock):
        assert _left(cache) == [_kept[0]]


def test_nothing_is_taken_from_a_run_that_goes_on(cache: Path, clock: ManualClock) -> None:
    with workroom(cache, clock):
        clock.advance(31 * _day)
        with workroom(cache, clock):
            assert _left(cache) == list(_kept)

    with workroom(cache, clock):
        assert _left(cache) == []


def test_the_days_of_a_cache_count_from_the_first_run_that_counts_them(
    tmp_path: Path, clock: ManualClock
) -> None:
    cache = write(tmp_path / "cache", dict.fromkeys(_kept, "kept"))

    with workroom(cache, clock):
        assert _left(cache) == list(_kept)

    clock.advance(30 * _day)
    with workroom(cache, clock):
        assert _left(cache) == []
