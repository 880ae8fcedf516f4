"""The worker as it is deployed: a process that is killed and started again."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import httpx2
import pytest
from platform_lib.testing import Databases, ServiceNotReady, ServiceProcess
from sender import Sender

from settlements.settings import WorkerSettings

PREFIX = "SETTLEMENTS"

StartService = Callable[..., Awaitable[ServiceProcess]]
Start = Callable[..., Awaitable[ServiceProcess]]


@pytest.fixture
def start(service_process: StartService, settings: WorkerSettings) -> Start:
    async def start(database: str = "") -> ServiceProcess:
        return await service_process(
            "settlements",
            environment={
                f"{PREFIX}_DATABASE_URL": database or settings.database.url.reveal(),
                f"{PREFIX}_PAYMENTS_URL": settings.payments.url.reveal(),
                f"{PREFIX}_EVENTS_URL": settings.events.url.reveal(),
                f"{PREFIX}_CONSUMER_ACK_WAIT": "1s",
            },
        )

    return start


async def test_a_worker_that_is_killed_while_it_works_counts_every_event_once(
    start: Start, sender: Sender, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)

    async def reaches(count: int) -> None:
        async with asyncio.timeout(30):
            while await connection.fetchval("SELECT count(*) FROM movement") < count:
                await asyncio.sleep(0.005)

    events = [sender.event("captured", amount) for amount in range(1, 61)]
    try:
        # Given a worker that dies in the middle of its work, twice
        for count in (10, 30):
            process = await start()
            for event in events[count - 10 : count + 10]:
                await sender.send_again(event)
            await reaches(count)
            process.kill()

        # When a third one does the rest, some of which was delivered before
        process = await start()
        for event in events:
            await sender.send_again(event)
        await reaches(60)

        # Then each event counted once, and the sums are those of the movements
        row = await connection.fetchrow("SELECT count(*), sum(amount) FROM movement")
        sums = await connection.fetchrow("SELECT sum(movements), sum(total) FROM settlement")
        assert tuple(row or ()) == tuple(sums or ()) == (60, sum(range(1, 61)))
        assert await process.stop() == 0
    finally:
        await connection.close()


async def test_a_worker_answers_its_probes_and_nothing_else(start: Start) -> None:
    process = await start()

    async with httpx2.AsyncClient(base_url=process.url) as http:
        assert (await http.get("/livez")).status_code == 200
        assert (await http.get("/")).json()["code"] == "not_found"


async def test_a_worker_on_a_database_that_was_not_migrated_ends_and_says_what_to_run(
    start: Start, databases: Databases
) -> None:
    empty = await asyncio.to_thread(databases.create, lambda _: None)

    with pytest.raises(ServiceNotReady, match="migrate` first"):
        await start(empty)
