"""What the tests of events share: parties that remember, workers that run, waiting for a fact."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from nats.aio.msg import Msg

from platform_lib import ManualClock
from platform_lib.clients import Postgres, PostgresSettings, Queries, Record, postgres
from platform_lib.engines import nats_engine
from platform_lib.events import (
    Event,
    Nats,
    NatsSettings,
    Outbox,
    nats,
)

OUTBOX = Outbox()


sql = Queries.from_text(
    """
-- name: read_outbox
-- Every row, oldest first.
SELECT * FROM platform_outbox ORDER BY sequence
-- name: spoil_traceparents
-- Write over what caused the events.
UPDATE platform_outbox SET traceparent = $1
-- name: count_open_transactions
-- Count the other sessions that are inside a transaction.
SELECT count(*) AS open FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
-- name: add_published
-- Events that were published at a time.
INSERT INTO platform_outbox (merchant_id, id, type, source, subject, time, data, published_at)
SELECT 'merchant-1', gen_random_uuid(), 'payment.captured', 'payments', 'payment-' || number, $2, '{}', $2
FROM generate_series(1, $1) AS number
-- name: add_waiting
-- Events that wait, two of each payment.
INSERT INTO platform_outbox (merchant_id, id, type, source, subject, time, data)
SELECT 'merchant-1', gen_random_uuid(), 'payment.captured', 'payments', 'payment-' || number / 2, $2, '{}'
FROM generate_series(1, $1) AS number
-- name: create_effects
-- A table for what consumers do.
CREATE TABLE effects (event_id uuid NOT NULL)
-- name: add_effect
-- Do what an event asks for.
INSERT INTO effects (event_id) VALUES ($1)
-- name: read_effects
-- What was done, and how often.
SELECT event_id, count(*) AS times FROM effects GROUP BY event_id ORDER BY event_id
""",
    "test_outbox",
)


def pool(url: str) -> Postgres:
    return postgres(PostgresSettings.model_validate({"url": url, "pool_min": 0, "pool_max": 10}))


def broker_at(url: str) -> Nats:
    return nats(NatsSettings.model_validate({"url": url, "stream": "PAYMENTS", "connect_timeout": 0.5}))


MakeEvent = Callable[..., Event]


class RecordingPublisher:
    """A broker that remembers what it was given, in order, and fails as it is told."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.failure: Exception | None = None
        self.fails_for: set[str] = set()

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
    ) -> None:
        del subject, payload, headers
        await asyncio.sleep(0)
        if self.failure is not None and (not self.fails_for or message_id in self.fails_for):
            raise self.failure
        self.ids.append(message_id)


class RecordingClock(ManualClock):
    """A clock that remembers how long anybody slept, and lets them go on at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def running(*workers: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def run(worker: Callable[[], Awaitable[None]]) -> None:
        await worker()

    tasks = [asyncio.create_task(run(worker)) for worker in workers]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(met: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as *met* says so."""
    async with asyncio.timeout(30):
        while not await met():  # noqa: ASYNC110 - the servers on the other side set no event
            await asyncio.sleep(0.01)


async def add(database: Postgres, *events: Event) -> None:
    async with database.transaction() as connection:
        for event in events:
            await OUTBOX.add(connection, event)


async def rows(database: Postgres) -> list[Record]:
    async with database.connection() as connection:
        return await connection.fetch_all(sql.read_outbox)


async def waiting(database: Postgres) -> int:
    async with database.connection() as connection:
        return (await OUTBOX.backlog(connection)).waiting


async def drained(database: Postgres) -> bool:
    return await waiting(database) == 0


async def stored(broker: Nats) -> list[Msg]:
    """Return every message of the stream, oldest first."""
    jetstream = await broker.jetstream()
    state = (await jetstream.stream_info("PAYMENTS")).state
    subscription = await jetstream.subscribe("payments.>", ordered_consumer=True)
    messages = [await subscription.next_msg(timeout=5) for _ in range(state.messages)]
    await subscription.unsubscribe()
    return messages


@contextmanager
def server(port: int | None = None) -> Iterator[tuple[str, int]]:
    """Run a NATS server of its own, to be stopped and started."""
    with nats_engine(choice="embedded", prefer="embedded", port=port, announce=lambda _: None) as engine:
        yield engine.url, int(engine.url.rpartition(":")[2])


async def holds(value: bool) -> bool:  # noqa: FBT001  # the shape that until() wants
    """Return *value*."""
    return value
