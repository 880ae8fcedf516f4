"""The checks of a service, run in the background on a clock that moves only when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from platform_lib import ManualClock
from platform_lib.health import Criticality, HealthChecks, HealthSettings


class Dependency:
    """Something to check, that answers as it is told and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0
        self.error: Exception | None = None
        self.warning: str | None = None
        self.hangs = False
        self.stubborn = False
        self.released = asyncio.Event()

    async def check(self) -> str | None:
        self.asked += 1
        if self.hangs:
            await self._hang()
        if self.error is not None:
            raise self.error
        return self.warning

    async def _hang(self) -> None:
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                if not self.stubborn:
                    raise


async def settle() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(30):
        await asyncio.sleep(0)


async def advance(clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    await settle()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def dependency() -> AsyncIterator[Dependency]:
    dependency = Dependency()
    yield dependency
    dependency.released.set()
    await settle()


@pytest.fixture
def health(clock: ManualClock) -> HealthChecks:
    return HealthChecks(clock, HealthSettings(interval=5, retry_interval=2, timeout=1), random=lambda: 0.5)


@asynccontextmanager
async def running(health: HealthChecks) -> AsyncIterator[None]:
    await health.start()
    health.mark_started()
    await settle()
    try:
        yield
    finally:
        await health.stop()


async def test_every_check_has_run_once_when_start_returns(
    health: HealthChecks, dependency: Dependency
) -> None:
    health.add("database", dependency.check)

    async with running(health):
        assert dependency.asked == 1
        assert health.readiness().checks["database"].status == "pass"


async def test_probes_ask_no_dependency(health: HealthChecks, dependency: Dependency) -> None:
    health.add("database", dependency.check, criticality="critical")

    async with running(health):
        for _ in range(100):
            health.readiness()
            health.liveness()
            health.startup()

        assert dependency.asked == 1


async def test_a_healthy_dependency_is_checked_each_interval_and_a_failed_one_more_often(
    health: HealthChecks, clock: ManualClock, dependency: Dependency
) -> None:
    health.add("database", dependency.check)
    async with running(health):
        await advance(clock, 4.9)
        assert dependency.asked == 1
        await advance(clock, 0.1)
        assert dependency.asked == 2

        dependency.error = ConnectionRefusedError()
        for _ in range(3):
            await advance(clock, 5)
        assert dependency.asked == 5
        assert health.readiness().checks["database"].status == "fail"

        await advance(clock, 2)
        assert dependency.asked == 6


@pytest.mark.parametrize(("drawn", "pause"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
async def test_pauses_vary_by_the_jitter_so_that_replicas_do_not_check_in_step(
    clock: ManualClock, dependency: Dependency, drawn: float, pause: float
) -> None:
    health = HealthChecks(clock, HealthSettings(interval=5, jitter=0.2), random=lambda: drawn)
    health.add("database", dependency.check)
    async with running(health):
        await advance(clock, pause - 0.01)
        assert dependency.asked == 1
        await advance(clock, 0.02)
        assert dependency.asked == 2


async def test_a_check_that_takes_too_long_has_failed(
    health: HealthChecks, clock: ManualClock, dependency: Dependency
) -> None:
    health.add("database", dependency.check, criticality="critical")
    dependency.hangs = True
    starting = asyncio.create_task(health.start())
    await settle()
    assert not starting.done()

    await advance(clock, 1)

    assert starting.done()
    assert health.readiness().checks["database"].reason == "timeout"
    assert dependency.cancelled == 1
    await health.stop()


async def test_a_check_that_cannot_be_cancelled_is_never_started_twice(
    health: HealthChecks, clock: ManualClock, dependency: Dependency
) -> None:
    health.add("database", dependency.check)
    dependency.hangs = dependency.stubborn = True
    starting = asyncio.create_task(health.start())
    await settle()
    await advance(clock, 1)
    await starting
    await settle()

    for _ in range(4):
        await advance(clock, 2)
    assert dependency.asked == 1

    dependency.released.set()
    dependency.hangs = False
    await settle()
    await advance(clock, 2)
    assert dependency.asked == 2
    await health.stop()


async def test_results_that_nobody_renews_become_stale_and_unready(
    health: HealthChecks, clock: ManualClock, dependency: Dependency
) -> None:
    health.add("database", dependency.check, criticality="critical")
    async with running(health):
        assert health.readiness().status == "pass"
    clock.advance(16.5)  # 3 * 5 + 1, and the background is stopped

    assert health.readiness().status == "fail"
    assert health.readiness().checks["database"].reason == "stale"


@pytest.mark.parametrize(
    ("criticality", "status"), [("critical", "fail"), ("degraded", "warn"), ("info", "pass")]
)
async def test_only_a_critical_check_makes_the_service_unready(
    health: HealthChecks, dependency: Dependency, criticality: Criticality, status: str
) -> None:
    dependency.error = ConnectionRefusedError()
    health.add("database", dependency.check, criticality=criticality)

    async with running(health):
        assert health.readiness().status == status
        assert health.readiness().checks["database"].status == "fail"


async def test_a_full_pool_warns_and_does_not_fail(health: HealthChecks, dependency: Dependency) -> None:
    dependency.warning = "busy: all 10 connections are in use"
    health.add("database", dependency.check, criticality="critical")

    async with running(health):
        assert health.readiness().status == "warn"
        assert health.readiness().checks["database"].reason == "busy"


async def test_the_text_of_an_error_is_never_shown(health: HealthChecks, dependency: Dependency) -> None:
    dependency.error = ConnectionRefusedError("postgres://app:hunter2@db.internal:5432")
    health.add("database", dependency.check)

    async with running(health):
        assert "hunter2" not in str(health.readiness().document(verbose=True))
        assert health.readiness().checks["database"].reason == "ConnectionRefusedError"


async def test_liveness_ignores_dependencies(health: HealthChecks, dependency: Dependency) -> None:
    dependency.error = ConnectionRefusedError()
    health.add("database", dependency.check, criticality="critical")

    async with running(health):
        assert health.liveness().status == "pass"


async def test_liveness_fails_when_a_part_is_beyond_repair(health: HealthChecks) -> None:
    health.mark_broken("relay")

    assert health.liveness().status == "fail"
    assert health.liveness().reason == "relay"


async def test_startup_waits_for_the_first_pass_of_every_critical_check(
    health: HealthChecks, clock: ManualClock, dependency: Dependency
) -> None:
    dependency.error = ConnectionRefusedError()
    health.add("database", dependency.check, criticality="critical")
    async with running(health):
        assert health.startup().status == "fail"

        dependency.error = None
        await advance(clock, 2)
        assert health.startup().status == "pass"
        assert health.readiness().status == "fail"  # recovers after two

        await advance(clock, 2)
        assert health.readiness().status == "pass"


async def test_nothing_is_ready_before_the_start_and_while_draining(health: HealthChecks) -> None:
    assert (health.readiness().status, health.readiness().reason) == ("fail", "starting")

    async with running(health):
        assert health.readiness().status == "pass"
        health.mark_draining()
        assert (health.readiness().status, health.readiness().reason) == ("fail", "draining")
        assert health.liveness().status == "pass"


def test_two_checks_of_one_name_are_refused(health: HealthChecks, dependency: Dependency) -> None:
    health.add("database", dependency.check)

    with pytest.raises(ValueError, match="database: a check of this name"):
        health.add("database", dependency.check)
