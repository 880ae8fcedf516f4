"""What requests, workers and the process say as metrics."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

from platform_lib import ManualClock
from platform_lib.health import HealthSettings
from platform_lib.service import Receive, Scope, Send, Service
from platform_lib.telemetry._process import watch_process
from platform_lib.testing import CapturedMetrics
from tests.unit.service.driving import ShopSettings, Told, answering, client, say_hello, settle

_active = "http.server.active_requests"
_oldest = "platform.http.server.oldest_request.age"


def shop(clock: ManualClock) -> Service:
    settings = ShopSettings(health=HealthSettings(jitter=0))
    return Service("shop", settings, clock=clock, random=lambda: 1.0)


async def test_requests_in_flight_and_the_age_of_the_oldest_are_told(
    clock: ManualClock, metrics: CapturedMetrics
) -> None:
    go_on = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await say_hello(scope, receive, send)

    gc.collect()  # what other tests served and left behind
    async with client(shop(clock).install(answering(wait))) as http:
        first = asyncio.create_task(http.get("/"))
        await settle()
        clock.advance(2)
        second = asyncio.create_task(http.request("PURGE", "/"))
        await settle()
        clock.advance(1)

        assert metrics.value(_active, {"http.request.method": "GET", "url.scheme": "http"}) == 1
        assert metrics.value(_active, {"http.request.method": "_OTHER"}) == 1
        assert metrics.value(_oldest) == 3

        go_on.set()
        await asyncio.gather(first, second)
        assert metrics.value(_active, {"http.request.method": "GET"}) == 0
        assert len(metrics.series(_active, {"http.request.method": "GET"})) == 1
        assert metrics.value(_oldest) == 0


async def test_a_probe_is_no_request_in_flight(clock: ManualClock, metrics: CapturedMetrics) -> None:
    gc.collect()
    async with client(shop(clock).install(answering(say_hello))) as http:
        await http.get("/livez")
        assert metrics.series(_active) == []


async def test_crashes_and_restarts_of_a_worker_are_counted(
    clock: ManualClock, metrics: CapturedMetrics
) -> None:
    async def crash() -> None:
        raise Told("4539148803436467")

    service = shop(clock)
    service.worker("relay", crash)
    await service.start()
    for _ in range(3):
        await settle()
        clock.advance(30)
    await settle()
    await service.stop()

    told = "tests.unit.service.driving.Told"
    assert metrics.value("platform.worker.crashes", {"worker": "relay", "error.type": told}) == 4
    assert metrics.value("platform.worker.restarts", {"worker": "relay"}) == 3


async def test_a_worker_that_is_not_started_again_has_no_restart(
    clock: ManualClock, metrics: CapturedMetrics
) -> None:
    async def crash() -> None:
        raise Told

    service = shop(clock)
    service.worker("fragile", crash, restart="fail")
    await service.start()
    await settle()
    await service.stop()

    assert metrics.value("platform.worker.crashes", {"worker": "fragile"}) == 1
    assert metrics.series("platform.worker.restarts", {"worker": "fragile"}) == []


def test_the_process_tells_what_the_system_knows_of_it(metrics: CapturedMetrics) -> None:
    watch_process()
    watch_process()
    before = metrics.value("process.unix.file_descriptor.count")
    with Path(os.devnull).open(encoding="utf-8"):
        assert metrics.value("process.unix.file_descriptor.count") == before + 1

    assert 5_000_000 < metrics.value("process.memory.usage") < 4_000_000_000
    assert metrics.value("process.thread.count") >= 1
    assert len(metrics.series("process.cpu.time")) <= 2  # user and system, where they moved
    gc.collect()
    assert metrics.value("cpython.gc.collections", {"cpython.gc.generation": 2}) >= 1
