"""The heartbeat of the event loop, beaten by hand on a time that stands still."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from platform_lib import ManualClock
from platform_lib.health import HealthChecks
from platform_lib.health._heartbeat import Heartbeat


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def heartbeat(clock: ManualClock) -> AsyncIterator[Heartbeat]:
    heartbeat = Heartbeat(4)
    heartbeat._time = clock.monotonic
    heartbeat._due = 1
    yield heartbeat
    heartbeat.stop()


async def test_a_beat_in_time_is_no_stall(heartbeat: Heartbeat, clock: ManualClock) -> None:
    for _ in range(10):
        clock.advance(1.5)
        heartbeat.beat()

        assert not heartbeat.stalled()


async def test_a_beat_that_is_overdue_is_a_stall_before_it_comes(
    heartbeat: Heartbeat, clock: ManualClock
) -> None:
    clock.advance(4.9)
    assert not heartbeat.stalled()
    clock.advance(0.1)
    assert heartbeat.stalled()


async def test_a_stall_is_remembered_for_as_long_as_it_takes_to_be_one(
    heartbeat: Heartbeat, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.advance(7)
    heartbeat.beat()
    clock.advance(3.9)
    heartbeat.beat()
    assert heartbeat.stalled()

    clock.advance(0.2)

    assert not heartbeat.stalled()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the event loop was blocked for 6.0 s; liveness fails for 4 s")
    ]


async def test_a_loop_that_is_not_watched_has_no_stalls() -> None:
    heartbeat = Heartbeat(4)
    assert not heartbeat.stalled()

    heartbeat.start()
    heartbeat.stop()
    heartbeat.beat()

    assert not heartbeat.stalled()


async def test_a_clock_that_is_moved_is_no_stall(clock: ManualClock) -> None:
    checks = HealthChecks(clock)
    await checks.start()
    clock.advance(3600)

    assert checks.liveness().status == "pass"
    await checks.stop()
