"""SIGTERM while spans are buffered: none is lost to a live collector, and a dead one holds nobody up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from paypath.demo.collector import Collector
from platform_lib.engines import free_port
from tests.integration.life.conftest import Start
from tests.integration.life.load import Load
from tests.integration.life.traffic import mostly_reads

server_kind = 2  # SPAN_KIND_SERVER (OTLP)
drain_seconds = 0.5
stop_budget_seconds = 4.0
with_processor = (str(Path(__file__).with_name("payments_with_processor.py")),)


@pytest.fixture(params=["refused", "never answered"])
def dead_endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "refused":
        yield f"http://127.0.0.1:{free_port()}"
        return
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


@pytest.mark.parametrize(
    "program", [("-m", "payments", "serve"), with_processor], ids=["as is", "through the SDK"]
)
@pytest.mark.parametrize("per_second", [20, 200])
async def test_every_request_answered_before_the_end_has_its_span_at_the_collector(
    start_payments: Start, collector: Collector, program: tuple[str, ...], per_second: int
) -> None:
    service = await start_payments(
        program=program,
        PAYMENTS_LIFECYCLE_DRAIN=f"{drain_seconds}s",
        PAYMENTS_TELEMETRY_ENDPOINT=collector.url,
        PAYMENTS_TELEMETRY_SAMPLE_RATIO="1",
    )
    load = Load("127.0.0.1", service.port, per_second, await mostly_reads(service.url))
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(1)

    status = await service.stop()

    load.stop()
    await sending
    answered = 1 + sum(answer.outcome != "refused" for answer in load.answers)
    spans = [
        span
        for span in collector.wait_until(lambda _: True, timeout=0)
        if span.service == "payments" and span.kind == server_kind
    ]
    assert load.outcomes().keys() <= {"200", "201", "refused"}
    assert collector.dropped == 0
    assert len(spans) == len({span.span_id for span in spans}) == answered
    assert status == 0


async def test_a_dead_collector_delays_the_end_by_no_more_than_the_budget(
    start_payments: Start, dead_endpoint: str
) -> None:
    service = await start_payments(
        PAYMENTS_LIFECYCLE_DRAIN=f"{drain_seconds}s", PAYMENTS_TELEMETRY_ENDPOINT=dead_endpoint
    )
    load = Load("127.0.0.1", service.port, 50, await mostly_reads(service.url))
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(1)

    status = await service.stop()

    load.stop()
    await sending
    assert load.outcomes().keys() <= {"200", "201", "refused"}
    assert status == 0
    assert service.stopped_after < drain_seconds + stop_budget_seconds
