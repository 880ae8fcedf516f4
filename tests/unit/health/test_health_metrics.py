"""What health checks and the event loop say as metrics."""

from __future__ import annotations

import asyncio

import pytest

from platform_lib import ManualClock
from platform_lib.health import HealthChecks, HealthSettings
from platform_lib.health._loop_lag import LoopLag
from platform_lib.testing import CapturedLogs, CapturedMetrics

_status = "platform.health.status"
_transitions = "platform.health.transitions"


class Dependency:
    error: Exception | None = None
    warning: str | None = None
    takes = 0.0

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def check(self) -> str | None:
        self._clock.advance(self.takes)
        if self.error is not None:
            raise self.error
        return self.warning


async def settle() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(30):
        await asyncio.sleep(0)


async def start(health: HealthChecks) -> None:
    await health.start()
    await settle()


async def advance(clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    await settle()


@pytest.fixture
def health(clock: ManualClock) -> HealthChecks:
    settings = HealthSettings(
        interval=5, retry_interval=2, timeout=1, fail_after=2, recover_after=2, jitter=0
    )
    return HealthChecks(clock, settings, random=lambda: 0.5)


async def test_a_verdict_is_a_number_while_checks_run(
    health: HealthChecks, clock: ManualClock, metrics: CapturedMetrics
) -> None:
    database, broker = Dependency(clock), Dependency(clock)
    health.add("database of the shop", database.check)
    health.add("broker of the shop", broker.check)
    assert metrics.series(_status, {"check": "database of the shop"}) == []

    broker.error = OSError()
    await start(health)
    assert metrics.value(_status, {"check": "database of the shop"}) == 0
    assert metrics.value(_status, {"check": "broker of the shop"}) == 2

    database.warning = "busy: all 2 connections are in use"
    await advance(clock, 5)
    assert metrics.value(_status, {"check": "database of the shop"}) == 1
    await health.stop()
    assert metrics.series(_status, {"check": "database of the shop"}) == []


async def test_a_run_is_measured_on_the_clock_and_says_why_it_failed(
    health: HealthChecks, clock: ManualClock, metrics: CapturedMetrics
) -> None:
    database = Dependency(clock)
    database.takes = 0.25
    health.add("slow", database.check)
    await start(health)
    database.error = OSError("4539148803436467")
    await advance(clock, 5)
    await health.stop()

    name = "platform.health.check.duration"
    assert [dict(one.attributes) for one in metrics.series(name)] == [
        {"check": "slow"},
        {"check": "slow", "error.type": "OSError"},
    ]
    assert metrics.value(name) == pytest.approx(0.5)


async def test_a_transition_is_counted_and_logged_once_however_often_the_check_runs(
    health: HealthChecks, clock: ManualClock, metrics: CapturedMetrics, logs: CapturedLogs
) -> None:
    database = Dependency(clock)
    health.add("flaky", database.check)
    await start(health)
    assert metrics.value(_transitions) == 0
    database.error = OSError()
    for _ in range(10):
        await advance(clock, 5)
    assert metrics.value(_transitions, {"check": "flaky", "to": "fail"}) == 1
    database.error = None
    for _ in range(10):
        await advance(clock, 5)
    await health.stop()

    assert metrics.value(_transitions, {"check": "flaky", "to": "pass"}) == 1
    assert metrics.value(_transitions) == 2
    assert len(logs.containing("flaky")) == 2


async def test_the_lag_is_how_late_a_reading_is(metrics: CapturedMetrics) -> None:
    lag = LoopLag()
    lag.start()
    lag._due -= 0.5  # as if the loop had been blocked
    lag._measure()
    lag.stop()

    assert metrics.count("platform.event_loop.lag") == 1
    assert metrics.value("platform.event_loop.lag") >= 0.4


async def test_the_lag_is_read_again_and_again(metrics: CapturedMetrics) -> None:
    lag = LoopLag()
    lag.start()
    lag._measure()

    assert lag._next is not None
    assert not lag._next.cancelled()
    lag.stop()
    assert metrics.count("platform.event_loop.lag") == 1


async def test_a_loop_that_is_not_watched_is_not_measured() -> None:
    lag = LoopLag()
    lag.start()
    timer = lag._next
    lag.stop()

    assert timer is not None
    assert timer.cancelled()
