"""What events say as metrics: out, in, and how far the relay is behind."""

from __future__ import annotations

import gc
import re

import pytest
from opentelemetry.trace import SpanKind

from platform_lib import ManualClock
from platform_lib.clients import Postgres, Query
from platform_lib.errors import NotSent
from platform_lib.events import Event, EventRejected, Nats, outbox_relay
from platform_lib.events._backlog_metrics import BacklogMetrics
from platform_lib.events._messaging import broker_attributes
from platform_lib.events._queries import queries
from platform_lib.testing import CapturedMetrics, CapturedSpans
from tests.integration.events.one_event import publish
from tests.integration.events.support import (
    MakeEvent,
    RecordingClock,
    RecordingPublisher,
    add,
    broker_at,
    drained,
    running,
    sql,
    until,
)

_subject = "payments.payment.captured"
_sent = "messaging.client.sent.messages"
_process = "messaging.process.duration"


@pytest.fixture(autouse=True)
def _collected() -> None:
    """What other tests left behind has nothing to say here."""
    gc.collect()


async def test_a_message_published_is_measured(broker: Nats, metrics: CapturedMetrics) -> None:
    await publish(broker)
    with pytest.raises(EventRejected):
        await broker.publish("payment.captured", b"x" * 2_000_000, message_id="large")

    sent = {"messaging.operation.name": "publish", "messaging.destination.name": _subject}
    rejected = sent | {"error.type": "platform_lib.events.publisher.EventRejected"}
    assert metrics.value(_sent, sent) == 2
    assert metrics.value(_sent, rejected) == 1
    assert (
        metrics.count("messaging.client.operation.duration", sent | {"messaging.operation.type": "send"}) == 2
    )
    assert metrics.count("messaging.client.operation.duration", rejected) == 1


async def test_a_message_that_never_left_is_no_message_sent(metrics: CapturedMetrics) -> None:
    async with broker_at("nats://127.0.0.1:1") as away:
        with pytest.raises(NotSent):
            await publish(away)

    assert metrics.value(_sent) == 0
    failed = {"error.type": "platform_lib.errors.NotSent"}
    assert metrics.count("messaging.client.operation.duration", failed) == 1


async def test_every_delivery_is_counted_and_how_long_it_was_handled(
    broker: Nats, metrics: CapturedMetrics
) -> None:
    handled: list[Event] = []

    async def handle(event: Event) -> None:
        handled.append(event)
        if len(handled) == 1:
            raise OSError("4539148803436467")

    async def done() -> bool:
        return metrics.count(_process) == 2

    await publish(broker)
    async with running(broker.subscribe("ledger", handle)):
        await until(done)

    group = {"messaging.consumer.group.name": "ledger", "messaging.destination.name": _subject}
    assert metrics.value("messaging.client.consumed.messages", group) == 2
    received = group | {"messaging.operation.name": "fetch", "messaging.operation.type": "receive"}
    assert metrics.count("messaging.client.operation.duration", received) == 2
    assert metrics.count(_process, group | {"error.type": "OSError"}) == 1


async def test_the_span_of_a_message_handled_links_the_one_that_sent_it(
    broker: Nats, spans: CapturedSpans
) -> None:
    handled: list[Event] = []

    async def handle(event: Event) -> None:
        handled.append(event)

    async def done() -> bool:
        return bool(spans.named(f"process {_subject}"))

    await publish(broker)
    async with running(broker.subscribe("ledger", handle)):
        await until(done)

    (sent,), (process,) = spans.named(f"publish {_subject}"), spans.named(f"process {_subject}")
    sender = sent.get_span_context()
    assert process.kind is SpanKind.CONSUMER
    assert sender is not None
    assert [link.context.span_id for link in process.links] == [sender.span_id]
    assert process.parent is not None
    assert process.parent.span_id == sender.span_id
    attributes = process.attributes or {}
    assert (attributes["server.address"], attributes["messaging.operation.type"]) == ("127.0.0.1", "process")


async def test_the_backlog_is_measured(
    database: Postgres, event: MakeEvent, clock: ManualClock, metrics: CapturedMetrics
) -> None:
    backlog = BacklogMetrics(clock)
    assert metrics.series("platform.outbox.waiting") == []
    events = [event(subject=f"payment-{number}") for number in range(3)]
    await add(database, *events)
    clock.advance(20)

    async with database.connection() as connection:
        await connection.execute(
            queries.mark_outbox_rejected, "merchant-1", events[2].id, "EventRejected", None, clock.now()
        )
        await backlog.measure(connection)

    assert metrics.value("platform.outbox.waiting") == 2
    assert metrics.value("platform.outbox.parked") == 1
    assert metrics.value("platform.outbox.lag") == 20


async def test_the_relay_measures_also_while_the_broker_is_away(
    database: Postgres, event: MakeEvent, metrics: CapturedMetrics
) -> None:
    publisher, clock = RecordingPublisher(), RecordingClock()
    publisher.failure = NotSent("broker", "not_connected")
    await add(database, event())

    async def behind() -> bool:
        return metrics.value("platform.outbox.lag") > 60

    async with running(outbox_relay(database, publisher, clock=clock)):
        await until(behind)
        assert metrics.value("platform.outbox.waiting") == 1
        publisher.failure = None
        await until(lambda: drained(database))

        async def caught_up() -> bool:
            return metrics.value("platform.outbox.waiting") == 0

        await until(caught_up)
        assert metrics.value("platform.outbox.lag") == 0


async def test_a_long_backlog_is_not_counted_to_its_end(
    database: Postgres, clock: ManualClock, metrics: CapturedMetrics
) -> None:
    backlog = BacklogMetrics(clock)
    async with database.connection() as connection:
        await connection.execute(sql.add_waiting, 30_000, clock.now())
        await backlog.measure(connection)
        explain = Query("explain", f"EXPLAIN (ANALYZE, TIMING OFF) {queries.sample_outbox.sql}", "Its plan.")
        plan = await connection.fetch_all(explain)

    assert metrics.value("platform.outbox.waiting") == 10_000
    looked_at = [float(rows) for line in plan for rows in re.findall(r"actual rows=([0-9.]+)", line[0])]
    assert max(looked_at) == 10_000


@pytest.mark.parametrize(
    ("url", "attributes"),
    [
        ("nats://127.0.0.1:4223", {"server.address": "127.0.0.1", "server.port": 4223}),
        ("nats://u:p@a.test,nats://b.test", {"server.address": "a.test", "server.port": 4222}),
    ],
)
def test_which_broker_it_is_comes_from_its_url(url: str, attributes: dict[str, object]) -> None:
    assert broker_attributes(url) == {"messaging.system": "nats", **attributes}
