"""Time and identity are passed in, and the manual ones are exact."""

import asyncio
import doctest
from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122

import pytest

from platform_lib import clock as clock_module
from platform_lib import ids as ids_module
from platform_lib.clock import ManualClock, SystemClock, TickingClock
from platform_lib.ids import RandomIds, SequentialIds


def test_the_documented_examples_are_true() -> None:
    assert doctest.testmod(clock_module).failed == 0
    assert doctest.testmod(ids_module).failed == 0


def test_the_system_clock_is_aware_of_utc_and_never_goes_back() -> None:
    clock = SystemClock()

    earlier = clock.monotonic()
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.monotonic() >= earlier


async def test_the_system_clock_sleeps_at_least_as_long_as_told() -> None:
    clock = SystemClock()

    began = clock.monotonic()
    await clock.sleep(0.01)

    assert clock.monotonic() - began >= 0.009


def test_a_manual_clock_moves_only_when_told_to() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == clock.now() == datetime(2026, 2, 28, 22, tzinfo=UTC)
    clock.advance(90.5)

    assert clock.now() == datetime(2026, 2, 28, 22, 1, 30, 500_000, tzinfo=UTC)
    assert clock.monotonic() == 90.5


def test_a_manual_clock_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001  # the mistake this is about


def test_a_manual_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="time does not go back"):
        ManualClock().advance(-1)


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    sleepers = [
        asyncio.create_task(sleep(name, seconds)) for name, seconds in [("late", 5), ("soon", 1), ("then", 1)]
    ]
    await asyncio.sleep(0)
    clock.advance(4.9)
    await asyncio.sleep(0)
    assert woken == ["soon", "then"]

    clock.advance(0.1)
    await asyncio.gather(*sleepers)
    assert woken == ["soon", "then", "late"]


async def test_a_cancelled_sleeper_does_not_stop_the_others() -> None:
    clock = ManualClock()
    first, second = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(2))
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.sleep(0)
    clock.advance(2)

    await second
    assert first.cancelled()


async def test_sleeping_for_no_time_only_yields() -> None:
    await asyncio.wait_for(ManualClock().sleep(0), timeout=1)


def test_random_ids_are_uuids_of_version_7_with_the_time_of_their_clock() -> None:
    clock = ManualClock(datetime(2026, 11, 22, 13, 0, 0, 123_000, tzinfo=UTC))

    made = RandomIds(clock).new()

    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == 1_795_352_400_123


def test_random_ids_made_later_sort_later() -> None:
    clock = ManualClock()
    ids = RandomIds(clock)
    made = []
    for _ in range(100):
        made.append(ids.new())
        clock.advance(0.001)

    assert made == sorted(made)
    assert len(set(made)) == 100


def test_random_ids_of_the_same_millisecond_differ() -> None:
    ids = RandomIds(ManualClock())

    assert len({ids.new() for _ in range(1000)}) == 1000


def test_sequential_ids_count_and_keep_the_form() -> None:
    ids = SequentialIds(first=255)

    made = [ids.new(), ids.new()]

    assert [str(one) for one in made] == [
        "00000000-0000-7000-8000-0000000000ff",
        "00000000-0000-7000-8000-000000000100",
    ]
    assert {one.version for one in made} == {7}


async def test_a_ticking_clock_moves_on_with_each_reading_and_wakes_who_sleeps() -> None:
    clock = TickingClock(step=0.25)
    sleeping = asyncio.create_task(clock.sleep(0.5))
    await asyncio.sleep(0)

    assert [clock.monotonic() for _ in range(3)] == [0.0, 0.25, 0.5]
    await sleeping
    assert (clock.now(), clock.now()) == (
        datetime(2026, 1, 1, 0, 0, 0, 750_000, UTC),
        datetime(2026, 1, 1, 0, 0, 1, 0, UTC),
    )


def test_a_clock_that_would_stand_still_is_refused() -> None:
    with pytest.raises(ValueError, match="TickingClock: cannot tick by 0 s; give a step above zero"):
        TickingClock(step=0)
