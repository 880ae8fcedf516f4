"""SIGTERM at 200 requests a second: nobody who was connected goes without an answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.life.conftest import Start
from tests.integration.life.load import Load, Request
from tests.integration.life.processes import Running
from tests.integration.life.traffic import Balancer, mostly_reads

connections = pytest.mark.parametrize("kept", [True, False], ids=["kept connections", "new connections"])
drain_seconds = 2.0
stop_budget_seconds = 4.0


@connections
async def test_behind_a_load_balancer_every_request_is_answered(start_payments: Start, *, kept: bool) -> None:
    service = await start_payments(PAYMENTS_LIFECYCLE_DRAIN=f"{drain_seconds}s")
    load = Load("127.0.0.1", service.port, 200, await mostly_reads(service.url), kept)
    balancer = Balancer(service.url, load)
    async with asyncio.TaskGroup() as sending:
        sending.create_task(load.run())
        sending.create_task(balancer.run())
        await asyncio.sleep(1)
        status = await service.stop()

    assert load.outcomes().keys() == {"200", "201"}
    assert balancer.not_ready_at is not None
    served_unready = [answer for answer in load.answers if answer.sent > balancer.not_ready_at]
    assert served_unready, "work is done while readiness is off"
    assert all(answer.closing for answer in served_unready)
    assert status == 0
    assert service.stopped_after < drain_seconds + stop_budget_seconds


@connections
async def test_clients_that_never_hear_of_readiness_are_answered_or_refused_never_reset(
    start_payments: Start, *, kept: bool
) -> None:
    service = await start_payments(PAYMENTS_LIFECYCLE_DRAIN="500ms")
    load = Load("127.0.0.1", service.port, 200, await mostly_reads(service.url), kept)

    status = await _stop_midway(service, load)

    assert load.outcomes().keys() == {"200", "201", "refused"}
    assert status == 0


@connections
@pytest.mark.parametrize("drain", ["0s", "300ms"])
@pytest.mark.parametrize("round_", range(2))
async def test_nobody_is_reset_at_a_thousand_requests_a_second_either(
    start: Start, round_: int, drain: str, *, kept: bool
) -> None:
    del round_  # a race is looked for more than once
    service = await start(SHOP_LIFECYCLE_DRAIN=drain)
    load = Load("127.0.0.1", service.port, 1000, lambda _: Request("GET", "/work"), kept)

    status = await _stop_midway(service, load)

    assert load.outcomes().keys() == {"200", "refused"}
    assert status == 0


async def _stop_midway(service: Running, load: Load) -> int:
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(0.5)
    status = await service.stop()
    load.stop()
    await sending
    return status
