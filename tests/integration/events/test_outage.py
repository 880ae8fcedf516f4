"""What the relay does while the broker is away, hangs, or refuses an event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from platform_lib import ManualClock
from platform_lib.clients import Postgres
from platform_lib.errors import NotSent
from platform_lib.events import (
    Event,
    EventRejected,
    Nats,
    outbox_relay,
)
from tests.integration.events.support import (
    OUTBOX,
    MakeEvent,
    RecordingClock,
    RecordingPublisher,
    add,
    broker_at,
    drained,
    holds,
    rows,
    running,
    server,
    sql,
    stored,
    until,
    waiting,
)


async def test_while_the_broker_is_away_events_stay_and_when_it_is_back_they_go(
    database: Postgres, event: MakeEvent
) -> None:
    clock = ManualClock()
    before, during = event(subject="a"), [event(subject=f"b{number}") for number in range(5)]

    async def advance_until(met: Callable[[], Awaitable[bool]]) -> None:
        async def advanced() -> bool:
            clock.advance(1.0)
            return await met()

        await until(advanced)

    with server() as (url, port):
        broker = await broker_at(url).__aenter__()
        relay = running(outbox_relay(database, broker, clock=clock, max_attempts=2))
        await relay.__aenter__()
        await add(database, before)
        await advance_until(lambda: drained(database))

    await add(database, *during)
    for _ in range(100):  # far more looks than max_attempts: an outage parks nothing
        clock.advance(1.0)
        await waiting(database)
    assert await waiting(database) == 5
    assert [row["attempts"] for row in await rows(database)] == [1, 0, 0, 0, 0, 0]

    with server(port):
        await advance_until(lambda: drained(database))
        assert [Event.from_json(message.data) for message in await stored(broker)] == during
        await relay.__aexit__(None, None, None)
        await broker.__aexit__(None, None, None)


async def test_the_relay_backs_off_on_the_clock_that_it_was_given(
    database: Postgres, event: MakeEvent
) -> None:
    publisher, clock = RecordingPublisher(), RecordingClock()
    publisher.failure = NotSent("broker", "not_connected")
    await add(database, event())

    async with running(outbox_relay(database, publisher, clock=clock, interval=0.1)):
        await until(lambda: holds(len(clock.sleeps) >= 11))
        publisher.failure = None
        await until(lambda: drained(database))
        await until(lambda: holds(clock.sleeps[-1] == 0.1))

    # 0.1 s, doubled each time, and never more than 30 s
    assert clock.sleeps[:11] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


async def test_an_outage_is_logged_once_and_its_end_once(
    database: Postgres, event: MakeEvent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="platform_lib.events.relay")
    publisher, clock = RecordingPublisher(), RecordingClock()
    publisher.failure = NotSent("broker", "not_connected")
    await add(database, event())

    async with running(outbox_relay(database, publisher, clock=clock)):
        await until(lambda: holds(len(clock.sleeps) >= 5))
        publisher.failure = None
        await until(lambda: drained(database))
        seen = len(clock.sleeps)
        await until(lambda: holds(len(clock.sleeps) > seen + 1))

    messages = [record.getMessage() for record in caplog.records if record.name.endswith("relay")]
    assert messages == [
        "outbox relay: the broker fails (not_connected); events wait in the outbox",
        "outbox relay: the broker works again",
    ]


async def test_an_event_that_the_broker_cannot_take_is_parked_and_stops_nobody(
    database: Postgres, broker: Nats, event: MakeEvent, caplog: pytest.LogCaptureFixture
) -> None:
    huge = event(subject="a", note="4111 1111 1111 1112" + "x" * 2_000_000)
    behind, beside = event(subject="a"), event(subject="b")
    await add(database, huge, behind, beside)

    async with running(outbox_relay(database, broker, clock=RecordingClock(), max_attempts=3)):
        await until(lambda: drained(database))

    assert sorted(message.headers["Nats-Msg-Id"] for message in await stored(broker) if message.headers) == [
        str(behind.id),
        str(beside.id),
    ]
    parked = (await rows(database))[0]
    assert (parked["attempts"], parked["last_error"]) == (3, "EventRejected")
    assert parked["parked_at"] is not None
    assert f"event {huge.id} (payment.captured) parked after 3 attempts" in caplog.text
    assert "4111" not in caplog.text
    async with database.connection() as connection:
        assert (await OUTBOX.backlog(connection)).parked == 1


async def _rejected_once(database: Postgres) -> bool:
    return [row["attempts"] for row in await rows(database)] == [1, 0]


async def test_a_rejected_event_is_tried_again_and_the_rest_of_its_payment_waits(
    database: Postgres, event: MakeEvent
) -> None:
    publisher, clock = RecordingPublisher(), ManualClock()
    first, second = event(subject="a"), event(subject="a")
    publisher.failure, publisher.fails_for = EventRejected("payment.captured", "too large"), {str(first.id)}
    await add(database, first, second)

    async with running(outbox_relay(database, publisher, clock=clock, interval=0.1)):
        await until(lambda: _rejected_once(database))
        for _ in range(20):  # many looks, but not yet the time for another try
            clock.advance(0.001)
            await waiting(database)
        assert publisher.ids == []
        publisher.failure = None
        clock.advance(0.2)

        async def advanced() -> bool:
            clock.advance(0.1)
            return await drained(database)

        await until(advanced)

    assert publisher.ids == [str(first.id), str(second.id)]


async def _no_transaction_open(database: Postgres) -> bool:
    async with database.connection() as connection:
        row = await connection.fetch_one(sql.count_open_transactions)
    return row is not None and row["open"] == 0


async def test_a_broker_that_hangs_holds_no_transaction_open(database: Postgres, event: MakeEvent) -> None:
    begun = asyncio.Event()

    class HangingPublisher:
        async def publish(self, *_: object, **__: object) -> None:
            begun.set()
            await asyncio.Event().wait()

    clock = ManualClock()  # it stands still, so there is one look at the outbox only
    await add(database, event())
    async with running(outbox_relay(database, HangingPublisher(), clock=clock, publish_timeout=0.2)):
        await begun.wait()
        assert not await _no_transaction_open(database)
        await until(lambda: _no_transaction_open(database))

    assert await waiting(database) == 1
