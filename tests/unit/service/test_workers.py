"""Workers: started again after a crash, cancelled at the stop."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from platform_lib import ManualClock
from platform_lib.health import HealthSettings
from platform_lib.service import LifecycleSettings, Service
from tests.unit.service.driving import ShopSettings, Told, settle

current_merchant: ContextVar[str] = ContextVar("current_merchant")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Service:
    settings = ShopSettings(lifecycle=LifecycleSettings(stop=0.05), health=HealthSettings(jitter=0))
    return Service("shop", settings, clock=clock, random=lambda: 1.0)  # the longest pauses


class Crashing:
    """A worker that crashes each time until told to be well, and once more when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.well = False
        self.crash = asyncio.Event()

    async def run(self) -> None:
        self.runs += 1
        if not self.well:
            raise Told
        await self.crash.wait()
        self.crash.clear()
        raise Told


async def advance(clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    await settle()


async def test_a_crashed_worker_starts_again_after_pauses_that_double(
    service: Service, clock: ManualClock
) -> None:
    worker = Crashing()
    service.worker("relay", worker.run)
    await service.start()
    await settle()
    assert worker.runs == 1

    for runs, pause in enumerate([0.5, 1, 2, 4, 8, 16, 30, 30], start=1):
        await advance(clock, pause - 0.01)
        assert worker.runs == runs
        await advance(clock, 0.01)
        assert worker.runs == runs + 1

    await service.stop()


async def test_a_crashed_worker_warns_in_readiness_and_leaves_liveness_alone(
    service: Service, clock: ManualClock
) -> None:
    worker = Crashing()
    service.worker("relay", worker.run)
    await service.start()
    await settle()
    for _ in range(3):
        await advance(clock, 5)

    assert service.health.readiness().status == "warn"
    assert service.health.readiness().checks["worker:relay"].reason == "WorkerCrashed"
    assert service.health.liveness().status == "pass"
    await service.stop()


async def test_a_worker_that_runs_well_for_a_minute_is_well_again(
    service: Service, clock: ManualClock
) -> None:
    worker = Crashing()
    service.worker("relay", worker.run)
    await service.start()
    await settle()
    for _ in range(3):
        await advance(clock, 5)
    assert service.health.readiness().status == "warn"

    worker.well = True
    for _ in range(30):
        await advance(clock, 2)
    assert service.health.readiness().status == "warn"
    for _ in range(4):
        await advance(clock, 2)

    assert service.health.readiness().status == "pass"
    await service.stop()


async def test_a_crash_after_a_good_minute_begins_the_pauses_anew(
    service: Service, clock: ManualClock
) -> None:
    worker = Crashing()
    service.worker("relay", worker.run)
    await service.start()
    await settle()
    for _ in range(3):
        await advance(clock, 5)
    worker.well = True
    await advance(clock, 30)
    runs = worker.runs
    await advance(clock, 60)

    worker.crash.set()
    await settle()
    await advance(clock, 0.5)

    assert worker.runs == runs + 1
    await service.stop()


async def test_a_worker_that_must_not_crash_fails_liveness_and_stays_down(
    service: Service, clock: ManualClock
) -> None:
    worker = Crashing()
    service.worker("relay", worker.run, restart="fail")
    await service.start()
    await advance(clock, 60)

    assert worker.runs == 1
    assert service.health.liveness().status == "fail"
    await service.stop()


async def test_a_worker_that_returns_is_done(service: Service, clock: ManualClock) -> None:
    runs = 0

    async def once() -> None:
        nonlocal runs
        runs += 1

    service.worker("import", once)
    await service.start()
    await advance(clock, 60)

    assert runs == 1
    assert service.health.readiness().checks["worker:import"].reason in (None, "stale")
    await service.stop()


async def test_a_worker_sees_no_context_of_the_one_who_started_it(service: Service) -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.append(current_merchant.get("nobody"))

    service.worker("look", look)
    current_merchant.set("acme")
    await service.start()
    await settle()

    assert seen == ["nobody"]
    await service.stop()


async def test_a_worker_that_ignores_its_cancellation_does_not_hold_up_the_stop(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    service.worker("relay", stubborn)
    await service.start()
    await settle()

    await service.stop()
    released.set()
    await settle()

    assert service.phase == "stopped"
    assert "relay: the worker did not end within 0.025 s" in caplog.text
