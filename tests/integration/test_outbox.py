"""Outbox and relay on a real database and a real broker: nothing is lost, nothing takes effect twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from nats.aio.msg import Msg

from platform_lib import ManualClock, SequentialIds
from platform_lib.clients import Connection, Postgres, PostgresSettings, Queries, Query, Record, postgres
from platform_lib.engines import nats_engine
from platform_lib.errors import CallFailed, NotSent
from platform_lib.events import (
    Event,
    EventRejected,
    Inbox,
    Nats,
    NatsSettings,
    Outbox,
    inbox_ddl,
    nats,
    outbox_ddl,
    outbox_relay,
)
from platform_lib.events._queries import queries
from platform_lib.telemetry import traced
from platform_lib.testing import CapturedSpans

OUTBOX = Outbox()

sql = Queries.from_text(
    """
-- name: read_outbox
-- Every row, oldest first.
SELECT * FROM platform_outbox ORDER BY sequence
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

explained = Query("explain", f"EXPLAIN {queries.lock_outbox_batch.sql}", "How a batch is found.")


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    async def create(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(outbox_ddl())
        await connection.execute(inbox_ddl())
        await connection.close()

    return lambda url: asyncio.run(create(url))


def pool(url: str) -> Postgres:
    return postgres(PostgresSettings.model_validate({"url": url, "pool_min": 0, "pool_max": 10}))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    async with pool(database_url) as opened:
        yield opened


def broker_at(url: str) -> Nats:
    return nats(NatsSettings.model_validate({"url": url, "stream": "PAYMENTS", "connect_timeout": 0.5}))


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


async def _is(value: bool) -> bool:  # noqa: FBT001 - the shape that until() wants
    return value


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
            await until(lambda: _is(len(publisher.ids) == 1))


_terminate_others = Queries.from_text(
    """
-- name: terminate_others
-- End every other session that is inside a transaction.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
""",
    "test_outbox",
).terminate_others


@contextmanager
def server(port: int | None = None) -> Iterator[tuple[str, int]]:
    """Run a NATS server of its own, to be stopped and started."""
    with nats_engine(choice="embedded", prefer="embedded", port=port, announce=lambda _: None) as engine:
        yield engine.url, int(engine.url.rpartition(":")[2])


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
        await until(lambda: _is(len(clock.sleeps) >= 11))
        publisher.failure = None
        await until(lambda: drained(database))
        await until(lambda: _is(clock.sleeps[-1] == 0.1))

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
        await until(lambda: _is(len(clock.sleeps) >= 5))
        publisher.failure = None
        await until(lambda: drained(database))
        seen = len(clock.sleeps)
        await until(lambda: _is(len(clock.sleeps) > seen + 1))

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


async def _rejected_once(database: Postgres) -> bool:
    return [row["attempts"] for row in await rows(database)] == [1, 0]


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


async def _no_transaction_open(database: Postgres) -> bool:
    async with database.connection() as connection:
        row = await connection.fetch_one(sql.count_open_transactions)
    return row is not None and row["open"] == 0


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


async def _is_empty(database: Postgres) -> bool:
    return await rows(database) == []


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


async def _published(broker: Nats) -> bool:
    with suppress(CallFailed):
        return len(await stored(broker)) == 1
    return False


async def test_looking_at_an_empty_outbox_makes_no_trace(database: Postgres, spans: CapturedSpans) -> None:
    clock = RecordingClock()

    async with running(outbox_relay(database, RecordingPublisher(), clock=clock)):
        await until(lambda: _is(len(clock.sleeps) > 5))

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
        await until(lambda: _is(all(deliveries[str(event.id)] == 2 for event in events)))

    async with database.connection() as connection:
        effects = await connection.fetch_all(sql.read_effects)
    assert [(row["event_id"], row["times"]) for row in effects] == [(event.id, 1) for event in events]
