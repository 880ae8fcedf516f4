"""The inbox on a real database: a message may come twice, its effect comes once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg
import pytest

from platform_lib import ManualClock
from platform_lib.clients import Connection, Postgres, PostgresSettings, Queries, postgres
from platform_lib.events import Inbox, inbox_ddl

sql = Queries.from_text(
    """
-- name: count_waiting
-- Count the statements that wait for another transaction's end.
SELECT count(*) AS waiting FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
""",
    "test_inbox",
)


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    async def create(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(inbox_ddl())
        await connection.close()

    return lambda url: asyncio.run(create(url))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    settings = PostgresSettings.model_validate({"url": database_url, "pool_min": 0, "pool_max": 33})
    async with postgres(settings) as opened:
        yield opened


@pytest.fixture
def inbox(clock: ManualClock) -> Inbox:
    return Inbox(clock=clock)


class _RollBack(Exception):
    pass


@asynccontextmanager
async def rolled_back(database: Postgres) -> AsyncIterator[Connection]:
    """Lend a transaction that fails at its end."""
    with suppress(_RollBack):
        async with database.transaction() as connection:
            yield connection
            raise _RollBack


async def accept(database: Postgres, inbox: Inbox, source: str = "provider", event_id: str = "evt_1") -> bool:
    async with database.transaction() as connection:
        return await inbox.accept(connection, source, event_id)


async def test_a_message_is_accepted_the_first_time_only(database: Postgres, inbox: Inbox) -> None:
    assert [await accept(database, inbox) for _ in range(3)] == [True, False, False]


async def test_of_32_simultaneous_deliveries_one_is_accepted(database: Postgres, inbox: Inbox) -> None:
    accepted = await asyncio.gather(*(accept(database, inbox) for _ in range(32)))

    assert accepted.count(True) == 1


async def test_a_message_whose_effect_rolled_back_is_accepted_again(database: Postgres, inbox: Inbox) -> None:
    async with rolled_back(database) as connection:
        await inbox.accept(connection, "provider", "evt_1")

    assert await accept(database, inbox)


async def test_a_delivery_waits_for_the_one_before_it_and_takes_over_if_that_fails(
    database: Postgres, inbox: Inbox
) -> None:
    async def until_second_waits() -> None:
        async with asyncio.timeout(20), database.connection() as connection:
            while True:
                row = await connection.fetch_one(sql.count_waiting)
                if row is not None and row["waiting"] == 1:
                    return
                await asyncio.sleep(0.01)

    async with rolled_back(database) as connection:
        await inbox.accept(connection, "provider", "evt_1")
        second = asyncio.create_task(accept(database, inbox))
        await asyncio.create_task(until_second_waits())

    assert await second


async def test_ids_of_two_sources_do_not_meet(database: Postgres, inbox: Inbox) -> None:
    assert await accept(database, inbox, "provider", "1")
    assert await accept(database, inbox, "other-provider", "1")


async def test_two_consumers_each_handle_a_message_once(database: Postgres, clock: ManualClock) -> None:
    ledger, mailer = Inbox("ledger", clock=clock), Inbox("mailer", clock=clock)

    assert [await accept(database, inbox) for inbox in (ledger, mailer, ledger, mailer)] == [
        True,
        True,
        False,
        False,
    ]


async def test_merchants_do_not_share_an_inbox(database: Postgres, inbox: Inbox) -> None:
    async with database.transaction() as connection:
        assert await inbox.accept(connection, "shop", "1", merchant_id="merchant-1")
        assert await inbox.accept(connection, "shop", "1", merchant_id="merchant-2")
        assert not await inbox.accept(connection, "shop", "1", merchant_id="merchant-1")


async def test_notes_are_purged_by_age(database: Postgres, inbox: Inbox, clock: ManualClock) -> None:
    await accept(database, inbox, event_id="old")
    clock.advance(timedelta(days=8).total_seconds())
    await accept(database, inbox, event_id="new")

    async with database.transaction() as connection:
        purged = await inbox.purge(connection, accepted_before=clock.now() - timedelta(days=7))

    assert purged == 1
    assert not await accept(database, inbox, event_id="new")
    assert await accept(database, inbox, event_id="old")
