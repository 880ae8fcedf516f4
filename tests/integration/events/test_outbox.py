"""The outbox on a real database: what is stored with a change, and for how long."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from platform_lib import ManualClock
from platform_lib.clients import Postgres, Query
from platform_lib.events import (
    EventRejected,
    outbox_relay,
)
from platform_lib.events._queries import queries
from tests.integration.events.support import (
    OUTBOX,
    MakeEvent,
    RecordingClock,
    RecordingPublisher,
    add,
    drained,
    rows,
    running,
    sql,
    until,
)


async def test_an_event_of_a_rolled_back_change_never_happened(database: Postgres, event: MakeEvent) -> None:
    class RollBack(Exception):
        pass

    with suppress(RollBack):
        async with database.transaction() as connection:
            await OUTBOX.add(connection, event())
            raise RollBack

    assert await rows(database) == []


async def test_the_order_of_commits_loses_nothing(database: Postgres, event: MakeEvent) -> None:
    """Sequence ids are not commit order: the row with the lower one may become visible last."""
    publisher, first, second = RecordingPublisher(), event(subject="slow"), event(subject="quick")

    async with running(outbox_relay(database, publisher, clock=RecordingClock())):
        async with database.transaction() as connection:
            await OUTBOX.add(connection, first)
            await asyncio.create_task(add(database, second))
            await asyncio.create_task(until(lambda: drained(database)))
            assert publisher.ids == [str(second.id)]
        await until(lambda: drained(database))

    assert publisher.ids == [str(second.id), str(first.id)]


async def test_a_parked_event_is_released_by_hand(database: Postgres, event: MakeEvent) -> None:
    publisher, parked = RecordingPublisher(), event()
    publisher.failure = EventRejected("payment.captured", "too large")
    await add(database, parked)
    async with running(outbox_relay(database, publisher, clock=RecordingClock(), max_attempts=1)):
        await until(lambda: drained(database))
        publisher.failure = None
        async with database.transaction() as connection:
            assert await OUTBOX.release(connection, merchant_id="merchant-1", event_id=parked.id)
            assert not await OUTBOX.release(connection, merchant_id="merchant-2", event_id=parked.id)
        await until(lambda: drained(database))

    assert publisher.ids == [str(parked.id)]


async def test_the_backlog_is_measured(database: Postgres, event: MakeEvent, clock: ManualClock) -> None:
    async with database.connection() as connection:
        empty = await OUTBOX.backlog(connection)
    oldest = event()
    clock.advance(60)
    await add(database, oldest, event())
    async with database.connection() as connection:
        backlog = await OUTBOX.backlog(connection)

    assert (empty.waiting, empty.parked, empty.oldest) == (0, 0, None)
    assert (backlog.waiting, backlog.oldest) == (2, oldest.time)
    assert clock.now() - oldest.time == timedelta(seconds=60)


async def test_a_card_number_is_masked_before_it_is_stored(database: Postgres, event: MakeEvent) -> None:
    await add(
        database, event(note="paid with 4111 1111 1111 1111", amount={"minor_units": 1, "currency": "EUR"})
    )

    (row,) = await rows(database)
    assert "4111 1111 1111 1111" not in str(row["data"])
    assert row["data"]["amount"] == {"minor_units": 1, "currency": "EUR"}


explained = Query("explain", f"EXPLAIN {queries.lock_outbox_batch.sql}", "How a batch is found.")


async def test_a_backlog_that_the_planner_knows_nothing_of_is_read_by_index(database: Postgres) -> None:
    """Statistics of a table that is mostly empty are wrong after an outage; a bad plan is quadratic then."""
    now = ManualClock().now()
    async with database.connection() as connection:
        await connection.execute(sql.add_waiting, 2000, now)
        plan = await connection.fetch_all(explained, now, 100)

    lines = [row["QUERY PLAN"].strip() for row in plan]
    assert any("using platform_outbox_waiting on" in line for line in lines)
    assert any("using platform_outbox_waiting_by_subject on" in line for line in lines)
    assert any(line.startswith("Index Cond: ((merchant_id = waiting.merchant_id)") for line in lines)
    assert not any("Seq Scan" in line or "Join" in line for line in lines)


async def _is_empty(database: Postgres) -> bool:
    return await rows(database) == []


async def test_published_events_are_deleted_after_their_time(database: Postgres, event: MakeEvent) -> None:
    clock = ManualClock()
    await add(database, event())

    async with running(outbox_relay(database, RecordingPublisher(), clock=clock, keep_published=3600)):
        await until(lambda: drained(database))
        for _ in range(5):
            clock.advance(600)  # each time it is allowed to purge, and finds nothing old enough
            await rows(database)
        assert len(await rows(database)) == 1

        async def advanced() -> bool:
            clock.advance(100)
            return await rows(database) == []

        await until(advanced)

    assert clock.monotonic() > 3600


async def test_however_many_published_events_are_old_enough_they_all_go(database: Postgres) -> None:
    clock = ManualClock()
    async with database.connection() as connection:
        await connection.execute(sql.add_published, 2500, clock.now() - timedelta(days=8))

    async with running(outbox_relay(database, RecordingPublisher(), clock=clock)):
        await until(lambda: _is_empty(database))
