"""A database with an outbox and an inbox, a broker with a stream, events to send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from platform_lib import ManualClock, SequentialIds
from platform_lib.clients import Postgres
from platform_lib.events import (
    Event,
    Nats,
    dead_letters_ddl,
    inbox_ddl,
    outbox_ddl,
)
from tests.integration.events.support import (
    broker_at,
    pool,
)


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    async def create(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(outbox_ddl())
        await connection.execute(inbox_ddl())
        await connection.execute(dead_letters_ddl())
        await connection.close()

    return lambda url: asyncio.run(create(url))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    async with pool(database_url) as opened:
        yield opened


@pytest.fixture
async def broker(broker_url: str) -> AsyncIterator[Nats]:
    async with broker_at(broker_url) as opened:
        yield opened


@pytest.fixture
def event(ids: SequentialIds, clock: ManualClock) -> Callable[..., Event]:
    def make(*, subject: str = "payment-1", **data: Any) -> Event:
        return Event(
            id=ids.new(),
            type="payment.captured",
            source="payments",
            subject=subject,
            merchant_id="merchant-1",
            time=clock.now(),
            data=data,
        )

    return make
