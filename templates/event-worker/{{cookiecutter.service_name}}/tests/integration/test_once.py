"""Exactly one effect on a real PostgreSQL, whatever is delivered twice, at once, or late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import asyncpg
import pytest
from platform_lib import ManualClock, Money
from platform_lib.clients import violated_constraint
from platform_lib.events import Event
from sender import Sender

from {{ cookiecutter.package }}.domain.settlement import Settlement
from {{ cookiecutter.package }}.wiring import Wired


@pytest.fixture
async def wired(wired: Wired) -> AsyncIterator[Wired]:
    """The parts on an open database; nothing runs by itself."""
    async with wired.store.database:
        yield wired


async def settlements(wired: Wired) -> list[Settlement]:
    async with wired.store.transaction() as transaction:
        return list(await transaction.lock_open(date.max, limit=100))


async def change(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_an_event_counts_once(wired: Wired, sender: Sender) -> None:
    event = sender.event()

    for _ in range(3):
        await wired.consumer.hear(event)

    (settlement,) = await settlements(wired)
    assert (settlement.total, settlement.movements) == (Money(1250, "EUR"), 1)


async def test_replicas_that_hear_one_event_at_once_count_it_once(wired: Wired, sender: Sender) -> None:
    event = sender.event()

    await asyncio.gather(*(wired.consumer.hear(event) for _ in range(5)))

    (settlement,) = await settlements(wired)
    assert settlement.movements == 1


async def test_many_events_of_one_day_are_all_counted(wired: Wired, sender: Sender) -> None:
    events = [sender.event("captured", amount) for amount in range(1, 21)]

    await asyncio.gather(*(wired.consumer.hear(event) for event in events))

    (settlement,) = await settlements(wired)
    assert (settlement.total, settlement.movements) == (Money(210, "EUR"), 20)


async def test_one_attempt_in_two_events_is_refused_by_the_database(wired: Wired, sender: Sender) -> None:
    """The second wall: a sender that tells of one movement twice under two ids."""
    first = sender.event()
    second = sender.event(attempt_id=first.data["attempt_id"])
    await wired.consumer.hear(first)

    with pytest.raises(asyncpg.UniqueViolationError):
        await wired.consumer.hear(second)

    (settlement,) = await settlements(wired)
    assert settlement.movements == 1


async def test_merchants_and_currencies_are_settled_apart(wired: Wired, sender: Sender) -> None:
    for event in (
        sender.event(),
        sender.event(currency="SEK"),
        sender.event(merchant_id="other"),
    ):
        await wired.consumer.hear(event)

    assert {(one.merchant_id, one.total.currency) for one in await settlements(wired)} == {
        ("acme", "EUR"),
        ("acme", "SEK"),
        ("other", "EUR"),
    }


async def test_what_comes_late_belongs_to_the_first_open_day(
    wired: Wired, sender: Sender, clock: ManualClock
) -> None:
    await wired.consumer.hear(sender.event())
    late: Event = sender.event(minor_units=99)
    clock.advance(timedelta(days=1, hours=1).total_seconds())
    assert await wired.closer.use_cases.close_due(limit=10) == 1

    await wired.consumer.hear(late)

    (settlement,) = await settlements(wired)
    assert (settlement.day, settlement.total) == (clock.now().date(), Money(99, "EUR"))


async def test_a_day_that_another_replica_closed_meanwhile_is_passed_over(
    wired: Wired, sender: Sender, settings: object, database_url: str
) -> None:
    """Its clock may be ahead of ours."""
    await wired.consumer.hear(sender.event())
    await change(database_url, "UPDATE settlement SET closed_at = now()")

    await wired.consumer.hear(sender.event(minor_units=99))

    (settlement,) = await settlements(wired)
    assert settlement.total == Money(99, "EUR")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE settlement SET total = 1", "settlement_closed_is_final"),
        ("UPDATE settlement SET closed_at = NULL", "settlement_closed_is_final"),
    ],
)
async def test_a_closed_settlement_never_changes(
    wired: Wired, sender: Sender, database_url: str, statement: str, constraint: str
) -> None:
    await wired.consumer.hear(sender.event())
    await change(database_url, "UPDATE settlement SET closed_at = now()")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await change(database_url, statement)

    assert violated_constraint(refused.value) == constraint


async def test_two_replicas_close_each_settlement_once(
    wired: Wired, sender: Sender, clock: ManualClock
) -> None:
    for merchant in ("one", "two", "three", "four"):
        await wired.consumer.hear(sender.event(merchant_id=merchant))
    clock.advance(timedelta(days=1, hours=1).total_seconds())

    closed = await asyncio.gather(*(wired.closer.use_cases.close_due(limit=2) for _ in range(4)))

    assert sum(closed) + await wired.closer.use_cases.close_due(limit=10) == 4
    async with wired.store.database.connection() as connection:
        assert (await wired.store.outbox.backlog(connection)).waiting == 4
