"""The relay on a real database and a real broker: nothing is lost, nothing takes effect twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from platform_lib import ManualClock
from platform_lib.clients import Connection, Postgres, Queries
from platform_lib.errors import CallFailed
from platform_lib.events import (
    Event,
    Inbox,
    Nats,
    outbox_relay,
)
from platform_lib.telemetry import traced
from platform_lib.testing import CapturedSpans
from tests.integration.events.support import (
    OUTBOX,
    MakeEvent,
    RecordingClock,
    RecordingPublisher,
    add,
    drained,
    holds,
    pool,
    rows,
    running,
    sql,
    stored,
    until,
    waiting,
)


async def test_an_event_is_published_after_the_commit_and_marked(
    database: Postgres, broker: Nats, event: MakeEvent
) -> None:
    clock = RecordingClock()
    captured = event(amount={"minor_units": 1250, "currency": "EUR"})
    await add(database, captured)

    async with running(outbox_relay(database, broker, clock=clock)):
        await until(lambda: drained(database))

    (message,) = await stored(broker)
    assert Event.from_json(message.data) == captured
    assert message.subject == "payments.payment.captured"
    (row,) = await rows(database)
    assert row["published_at"] is not None
    assert row["attempts"] == 1


async def test_several_relays_publish_each_event_once(
    database: Postgres, database_url: str, event: MakeEvent
) -> None:
    publisher = RecordingPublisher()
    events = [event(subject=f"payment-{number}") for number in range(300)]
    await add(database, *events)

    async with pool(database_url) as a, pool(database_url) as b, pool(database_url) as c:
        relays = [outbox_relay(each, publisher, clock=RecordingClock(), batch=10) for each in (a, b, c)]
        async with running(*relays):
            await until(lambda: drained(database))

    assert Counter(publisher.ids) == Counter(str(event.id) for event in events)


async def test_a_row_that_one_relay_is_publishing_is_passed_over_by_another(
    database: Postgres, event: MakeEvent
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    slow_ids: list[str] = []

    class SlowPublisher:
        async def publish(
            self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
        ) -> None:
            del subject, payload, headers
            slow_ids.append(message_id)
            begun.set()
            await go_on.wait()

    held, free, behind = event(subject="a"), event(subject="b"), event(subject="a")
    quick = RecordingPublisher()
    await add(database, held)
    async with running(outbox_relay(database, SlowPublisher(), clock=RecordingClock())):
        await begun.wait()
        await add(database, free, behind)
        async with running(outbox_relay(database, quick, clock=RecordingClock())):
            await until(lambda: _two_wait(database))
        # The second of one payment waits for the first, even while another relay holds the first.
        assert (slow_ids, quick.ids) == ([str(held.id)], [str(free.id)])
        go_on.set()
        await until(lambda: drained(database))

    assert slow_ids == [str(held.id), str(behind.id)]


async def _two_wait(database: Postgres) -> bool:
    return await waiting(database) == 2


async def test_events_of_one_payment_are_published_in_order_by_any_number_of_relays(
    database: Postgres, database_url: str, event: MakeEvent
) -> None:
    class LaterFirst(RecordingPublisher):
        """Takes the longer, the earlier an event is."""

        async def publish(
            self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
        ) -> None:
            for _ in range(100 - position[message_id]):
                await asyncio.sleep(0)
            await super().publish(subject, payload, message_id=message_id, headers=headers)

    publisher = LaterFirst()
    events = [event(subject=f"payment-{number % 10}") for number in range(100)]
    position = {str(event.id): number for number, event in enumerate(events)}
    subject_of = {str(event.id): event.subject for event in events}
    await add(database, *events)

    async with pool(database_url) as a, pool(database_url) as b, pool(database_url) as c:
        relays = [outbox_relay(each, publisher, clock=RecordingClock(), batch=25) for each in (a, b, c)]
        async with running(*relays):
            await until(lambda: drained(database))

    for subject in set(subject_of.values()):
        published = [id_ for id_ in publisher.ids if subject_of[id_] == subject]
        assert published == [str(event.id) for event in events if event.subject == subject]


async def test_a_crash_after_the_publish_repeats_the_message_id_and_the_broker_keeps_one(
    database: Postgres, broker: Nats, event: MakeEvent
) -> None:
    on_the_wire: list[str] = []
    published = asyncio.Event()

    class CrashingPublisher:
        async def publish(
            self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
        ) -> None:
            await broker.publish(subject, payload, message_id=message_id, headers=headers)
            on_the_wire.append(message_id)
            if len(on_the_wire) == 1:
                published.set()
                await asyncio.Event().wait()  # where the process dies: published, not marked

    captured = event()
    await add(database, captured)
    async with running(outbox_relay(database, CrashingPublisher(), clock=RecordingClock())):
        await published.wait()
    assert await waiting(database) == 1

    async with running(outbox_relay(database, CrashingPublisher(), clock=RecordingClock())):
        await until(lambda: drained(database))

    assert on_the_wire == [str(captured.id)] * 2
    assert len(await stored(broker)) == 1


async def test_a_relay_whose_connection_dies_gives_its_rows_back(
    database: Postgres, event: MakeEvent
) -> None:
    """No lease to wait for: PostgreSQL frees the rows together with the connection."""
    begun = asyncio.Event()

    class StuckPublisher:
        async def publish(self, *_: object, **__: object) -> None:
            begun.set()
            await asyncio.Event().wait()

    await add(database, event())
    async with running(outbox_relay(database, StuckPublisher(), clock=RecordingClock())):
        await begun.wait()
        publisher = RecordingPublisher()
        async with database.connection() as connection:
            await connection.execute(_terminate_others)
        async with running(outbox_relay(database, publisher, clock=RecordingClock())):
            await until(lambda: holds(len(publisher.ids) == 1))


_terminate_others = Queries.from_text(
    """
-- name: terminate_others
-- End every other session that is inside a transaction.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
""",
    "test_outbox",
).terminate_others


async def test_the_message_belongs_to_the_trace_of_its_cause(
    database: Postgres, broker: Nats, event: MakeEvent, spans: CapturedSpans
) -> None:
    @traced("capture payment")
    async def capture(connection: Connection) -> None:
        await OUTBOX.add(connection, event())

    async with database.transaction() as connection:
        await capture(connection)
    async with running(outbox_relay(database, broker, clock=RecordingClock())):
        await until(lambda: _published(broker))

    (cause,) = spans.named("capture payment")
    (published,) = spans.named("publish payments.payment.captured")
    (stored_span,) = spans.named("add_to_outbox")
    assert published.parent is not None
    assert published.parent.span_id == cause.context.span_id
    assert published.context.trace_id == stored_span.context.trace_id == cause.context.trace_id
    (message,) = await stored(broker)
    assert message.headers is not None
    assert message.headers["traceparent"].split("-")[2] == f"{published.context.span_id:016x}"


async def test_a_spoilt_traceparent_begins_a_new_trace_and_goes_no_further(
    database: Postgres, broker: Nats, event: MakeEvent, spans: CapturedSpans
) -> None:
    await add(database, event())
    async with database.transaction() as connection:
        await connection.execute(sql.spoil_traceparents, "00-nonsense")
    async with running(outbox_relay(database, broker, clock=RecordingClock())):
        await until(lambda: _published(broker))

    (published,) = spans.named("publish payments.payment.captured")
    (message,) = await stored(broker)
    assert published.parent is None
    assert "traceparent" not in json.loads(message.data)
    assert message.headers is not None
    assert message.headers["traceparent"].split("-")[1] == f"{published.context.trace_id:032x}"


async def _published(broker: Nats) -> bool:
    with suppress(CallFailed):
        return len(await stored(broker)) == 1
    return False


async def test_looking_at_an_empty_outbox_makes_no_trace(database: Postgres, spans: CapturedSpans) -> None:
    clock = RecordingClock()

    async with running(outbox_relay(database, RecordingPublisher(), clock=clock)):
        await until(lambda: holds(len(clock.sleeps) > 5))

    assert spans.forest() == ""


async def test_duplicates_on_the_wire_are_one_effect(
    database: Postgres, broker: Nats, event: MakeEvent
) -> None:
    """From the outbox over the broker into the inbox: at least once on the wire, once in effect."""
    inbox = Inbox(clock=ManualClock())
    deliveries: Counter[str] = Counter()

    async def book(happened: Event) -> None:
        async with database.transaction() as connection:
            if await inbox.accept(connection, happened.source, str(happened.id)):
                await connection.execute(sql.add_effect, happened.id)
        deliveries[str(happened.id)] += 1
        if deliveries[str(happened.id)] == 1:
            raise ZeroDivisionError  # dies after its commit, before the broker knows

    async with database.connection() as connection:
        await connection.execute(sql.create_effects)
    events = [event(subject=f"payment-{number}") for number in range(5)]
    await add(database, *events)
    async with running(
        outbox_relay(database, broker, clock=RecordingClock()), broker.subscribe("ledger", book)
    ):
        await until(lambda: holds(all(deliveries[str(event.id)] == 2 for event in events)))

    async with database.connection() as connection:
        effects = await connection.fetch_all(sql.read_effects)
    assert [(row["event_id"], row["times"]) for row in effects] == [(event.id, 1) for event in events]
