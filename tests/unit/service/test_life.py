"""The life of a service: what opens, runs and closes, in which order, and what happens when a part fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from platform_lib import ManualClock
from platform_lib.service import LifecycleSettings, Service, StartFailed
from tests.unit.service.driving import Recorder, ShopSettings, settle


def shop(*, start: float = 30, stop: float = 3) -> Service:
    lifecycle = LifecycleSettings(start=start, stop=stop)
    return Service("shop", ShopSettings(lifecycle=lifecycle), version="1.2", clock=ManualClock())


def forever(story: list[str], name: str) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        story.append(f"run {name}")
        try:
            await asyncio.Event().wait()
        finally:
            story.append(f"end {name}")

    return run


async def test_resources_open_in_order_and_close_in_reverse_with_the_workers_inside() -> None:
    story: list[str] = []
    service = shop()
    service.worker("relay", forever(story, "relay"))
    service.resource("database", Recorder("database", story))
    service.resource("broker", Recorder("broker", story))

    await service.start()
    await settle()
    await service.stop()

    assert story == [
        "open database",
        "open broker",
        "run relay",
        "end relay",
        "close broker",
        "close database",
    ]


async def test_the_phase_tells_where_in_its_life_a_service_is() -> None:
    service = shop()
    phases = [service.phase]

    class Watching(Recorder):
        async def _step(self, step: str) -> None:
            await super()._step(step)
            phases.append(service.phase)

    service.resource("database", Watching("database", []))
    await service.start()
    phases.append(service.phase)
    service.begin_drain()
    phases.append(service.phase)
    await service.stop()
    phases.append(service.phase)

    assert phases == ["new", "starting", "ready", "draining", "draining", "stopped"]


async def test_a_service_that_is_closing_its_resources_is_not_ready() -> None:
    reasons: list[str | None] = []
    service = shop()

    class Watching(Recorder):
        async def _step(self, step: str) -> None:
            await super()._step(step)
            reasons.append(service.health.readiness().reason)

    service.resource("database", Watching("database", []))
    await service.start()
    await service.stop()

    assert reasons == ["starting", "draining"]


async def test_a_resource_is_handed_back_as_it_is() -> None:
    database = Recorder("database", [])

    assert shop().resource("database", database) is database


async def test_a_failed_start_names_the_resource_and_closes_what_was_opened() -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))
    service.resource("broker", Recorder("broker", story, fails="open"))
    service.resource("provider", Recorder("provider", story))

    with pytest.raises(StartFailed, match=r"^broker: could not be opened: Told: broker was told to fail$"):
        await service.start()

    assert story == ["open database", "open broker", "close database"]
    assert service.phase == "stopped"


async def test_a_failed_start_shows_no_secret() -> None:
    service = shop()
    error = ConnectionRefusedError("cannot reach postgres://app:hunter2@db:5432/shop")
    service.resource("database", Recorder("database", [], fails="open", error=error))

    with pytest.raises(StartFailed) as caught:
        await service.start()

    assert "hunter2" not in str(caught.value)


async def test_a_resource_that_hangs_at_start_is_named_when_the_time_is_up() -> None:
    story: list[str] = []
    service = shop(start=0.02)
    service.resource("database", Recorder("database", story))
    service.resource("broker", Recorder("broker", story, hangs="open"))

    with pytest.raises(StartFailed, match=r"^broker: did not open within 0.02 s \(lifecycle.start\)"):
        await service.start()

    assert story == ["open database", "open broker", "close database"]


async def test_a_resource_that_hangs_or_fails_at_stop_keeps_no_other_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))
    service.resource("broker", Recorder("broker", story, hangs="close"), stop_timeout=0.02)
    service.resource("provider", Recorder("provider", story, fails="close"))
    await service.start()

    await service.stop()

    assert story[-3:] == ["close provider", "close broker", "close database"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "provider: did not close: Told",
        "broker: did not close: TimeoutError",
    ]


async def test_all_resources_share_the_time_to_stop() -> None:
    story: list[str] = []
    service = shop(stop=0.05)
    for name in ("a", "b", "c"):
        service.resource(name, Recorder(name, story, hangs="close"))
    await service.start()

    started = asyncio.get_running_loop().time()
    await service.stop()

    # 0.05 for the first, then the least that every resource gets: 0.1 each
    assert asyncio.get_running_loop().time() - started < 1
    assert story[-3:] == ["close c", "close b", "close a"]


async def test_a_context_manager_is_entered_and_left_in_one_task() -> None:
    """anyio's and asyncio's own scopes insist on it."""
    tasks: list[asyncio.Task[object] | None] = []

    class Watching(Recorder):
        async def _step(self, step: str) -> None:
            await super()._step(step)
            tasks.append(asyncio.current_task())

    service = shop()
    service.resource("database", Watching("database", []))
    await service.start()
    await service.stop()

    assert tasks[0] is tasks[1] is asyncio.current_task()


async def test_a_resource_with_a_check_is_checked_under_its_name() -> None:
    class Checked(Recorder):
        async def check(self) -> None:
            raise ConnectionRefusedError

    service = shop()
    service.resource("database", Checked("database", []), criticality="critical")
    await service.start()

    assert service.health.readiness().status == "fail"
    assert service.health.readiness().checks["database"].criticality == "critical"
    await service.stop()


async def test_each_resource_is_one_line_in_the_log_with_its_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "platform_lib.service")
    clock = ManualClock()
    service = Service("shop", ShopSettings(), version="1.2", clock=clock)

    class Slow(Recorder):
        async def _step(self, step: str) -> None:
            await super()._step(step)
            clock.advance(0.012)

    service.resource("database", Slow("database", []))
    await service.start()
    await service.stop()

    assert [record.getMessage() for record in caplog.records] == [
        "database: open in 12 ms",
        "shop 1.2: ready in 12 ms (1 resources, 0 workers)",
        "database: closed in 12 ms",
    ]


async def test_a_start_that_is_cancelled_closes_what_was_opened() -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))
    service.resource("broker", Recorder("broker", story, hangs="open"))
    starting = asyncio.create_task(service.start())
    await settle()

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    assert story == ["open database", "open broker", "close database"]


async def test_a_service_has_one_life() -> None:
    service = shop()
    await service.start()
    await service.stop()
    await service.stop()

    with pytest.raises(StartFailed, match="already stopped; make a new Service"):
        await service.start()


async def test_nothing_is_registered_after_the_start_or_under_a_taken_name() -> None:
    service = shop()
    service.resource("database", Recorder("database", []))
    with pytest.raises(ValueError, match="database: a resource of this name"):
        service.resource("database", Recorder("database", []))
    service.worker("relay", forever([], "relay"))
    with pytest.raises(ValueError, match="relay: a worker of this name"):
        service.worker("relay", forever([], "relay"))

    await service.start()
    with pytest.raises(ValueError, match="broker: this resource comes too late"):
        service.resource("broker", Recorder("broker", []))
    await service.stop()
