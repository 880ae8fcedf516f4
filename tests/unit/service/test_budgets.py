"""Each part of starting and stopping has its time, and takes none of the others'."""

from __future__ import annotations

import asyncio

import pytest

from platform_lib import ManualClock
from platform_lib.service import LifecycleSettings, Message, Receive, Scope, Send, Service, StartFailed
from tests.unit.service.driving import Lifespan, Recorder, ShopSettings


def shop(*, start: float = 30, stop: float = 3) -> Service:
    lifecycle = LifecycleSettings(start=start, stop=stop)
    return Service("shop", ShopSettings(environment="test", lifecycle=lifecycle), clock=ManualClock())


async def test_a_resource_has_a_time_of_its_own_to_open() -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))
    service.resource("broker", Recorder("broker", story, hangs="open"), start_timeout=0.02)

    with pytest.raises(StartFailed, match=r"^broker: did not open within 0\.02 s; is it reachable\?$"):
        await service.start()

    assert story == ["open database", "open broker", "close database"]


async def test_the_time_of_one_resource_adds_nothing_to_that_of_all() -> None:
    service = shop(start=0.02)
    service.resource("broker", Recorder("broker", [], hangs="open"), start_timeout=60)

    with pytest.raises(StartFailed, match=r"0\.02 s \(lifecycle\.start\)"):
        await service.start()


async def test_a_worker_that_does_not_end_leaves_the_resources_time_to_close() -> None:
    closed: list[str] = []

    class Slow(Recorder):
        async def __aexit__(self, *_: object) -> None:
            await asyncio.sleep(0.15)  # longer than the tenth that is left to each when all time is gone
            closed.append("slow")

    async def stubborn() -> None:
        while not closed:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    service = shop(stop=1)
    service.resource("slow", Slow("slow", []))
    service.worker("stubborn", stubborn)
    await service.start()
    await asyncio.sleep(0)

    await service.stop()

    assert closed == ["slow"]


@pytest.mark.parametrize("event", ["startup", "shutdown"])
async def test_an_application_whose_own_lifespan_hangs_is_not_waited_for(event: str) -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        for word in ("startup", "shutdown"):
            await receive()
            if word == event:
                await asyncio.Event().wait()
            await send({"type": f"lifespan.{word}.complete"})

    story: list[str] = []
    service = shop(start=0.05, stop=0.1)
    service.resource("database", Recorder("database", story))
    lifespan = Lifespan(service.install(app))

    answer: Message = await lifespan.startup()
    if event == "shutdown":
        assert answer["type"] == "lifespan.startup.complete"
        answer = await lifespan.shutdown()

    assert answer["type"] == f"lifespan.{event}.failed"
    assert answer["message"] == f"the application's lifespan.{event} did not end within 0.05 s"
    assert story == ["open database", "close database"]


async def test_the_stages_of_stopping_fit_into_thirty_seconds() -> None:
    bounds = LifecycleSettings()
    admin = 1.1

    whole = bounds.drain + bounds.in_flight + bounds.stop / 2 + bounds.stop + bounds.flush + admin

    assert whole < 30
