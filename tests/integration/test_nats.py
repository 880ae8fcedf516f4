"""The broker, on a real NATS server: what is published is stored once, and a lost server is only a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.js import api

from platform_lib import SequentialIds, strict_json
from platform_lib.engines import nats_engine
from platform_lib.errors import CallFailed, ConfigError, NotSent, NotStarted
from platform_lib.events import Event, EventRejected, Nats, NatsSettings, nats
from platform_lib.telemetry import traced
from platform_lib.testing import CapturedSpans

CAPTURED = Event(
    id=SequentialIds().new(),
    type="payment.captured",
    source="payments",
    subject="payment-1",
    merchant_id="merchant-1",
    time=datetime(2026, 1, 1, tzinfo=UTC),
    data={"amount": {"minor_units": 1250, "currency": "EUR"}},
)


def settings_for(url: str, **changes: Any) -> NatsSettings:
    return NatsSettings.model_validate(
        {"url": url, "stream": "PAYMENTS", "connect_timeout": 0.5, "publish_timeout": 2.0, **changes}
    )


@pytest.fixture
async def broker(broker_url: str) -> AsyncIterator[Nats]:
    async with nats(settings_for(broker_url)) as opened:
        yield opened


@contextmanager
def server(port: int | None = None) -> Iterator[tuple[str, int]]:
    """Run a NATS server of its own, to be stopped and started; a stopped one forgets its streams."""
    with nats_engine(choice="embedded", prefer="embedded", port=port, announce=lambda _: None) as engine:
        yield engine.url, int(engine.url.rpartition(":")[2])


@asynccontextmanager
async def running(worker: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def run() -> None:
        await worker()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(met: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as *met* says so."""
    async with asyncio.timeout(20):
        while not await met():  # noqa: ASYNC110 - the server on the other side sets no event
            await asyncio.sleep(0.02)


async def works(broker: Nats) -> bool:
    try:
        await broker.check()
    except CallFailed:
        return False
    return True


async def publish(broker: Nats, event: Event = CAPTURED) -> None:
    await broker.publish(event.type, strict_json.dumps(event.cloudevent()), message_id=str(event.id))


async def stored(broker: Nats) -> list[Msg]:
    """Return every message of the stream, oldest first."""
    jetstream = await broker.jetstream()
    state = (await jetstream.stream_info("PAYMENTS")).state
    subscription = await jetstream.subscribe("payments.>", ordered_consumer=True)
    messages = [await subscription.next_msg(timeout=5) for _ in range(state.messages)]
    await subscription.unsubscribe()
    return messages


async def test_a_published_event_is_stored_under_the_prefix(broker: Nats) -> None:
    await broker.publish(
        CAPTURED.type,
        strict_json.dumps(CAPTURED.cloudevent()),
        message_id=str(CAPTURED.id),
        headers={"content-type": "application/cloudevents+json"},
    )

    (message,) = await stored(broker)
    assert message.subject == "payments.payment.captured"
    assert Event.from_json(message.data) == CAPTURED
    assert message.headers is not None
    assert message.headers["Nats-Msg-Id"] == str(CAPTURED.id)
    assert message.headers["content-type"] == "application/cloudevents+json"


async def test_a_repeated_message_id_is_stored_once(broker: Nats) -> None:
    for _ in range(3):
        await publish(broker)

    assert len(await stored(broker)) == 1


async def test_the_stream_is_created_as_the_settings_say(broker_url: str) -> None:
    settings = settings_for(broker_url, duplicate_window="30s", retention="1h", subject_prefix="eu.pay")
    async with nats(settings) as broker:
        config = (await (await broker.jetstream()).stream_info("PAYMENTS")).config

    assert config.subjects == ["eu.pay.>"]
    assert config.storage == "file"
    assert config.max_age == 3600
    assert config.duplicate_window == 30


async def test_replicas_that_start_together_share_one_stream(broker_url: str) -> None:
    async def start() -> None:
        async with nats(settings_for(broker_url)) as broker:
            await broker.check()

    await asyncio.gather(*(start() for _ in range(8)))


async def test_an_existing_stream_is_taken_as_its_operator_made_it(broker: Nats, broker_url: str) -> None:
    jetstream = await broker.jetstream()
    await jetstream.update_stream(api.StreamConfig(name="PAYMENTS", subjects=["payments.>"], max_age=60))

    async with nats(settings_for(broker_url, retention="7200s")) as second:
        await publish(second)

    assert (await jetstream.stream_info("PAYMENTS")).config.max_age == 60


async def test_a_stream_without_our_subjects_is_a_mistake_in_the_configuration(
    broker: Nats, broker_url: str
) -> None:
    assert await works(broker)

    with pytest.raises(ConfigError, match=r"takes \['payments\.>'\], not refunds\.>"):
        async with nats(settings_for(broker_url, subject_prefix="refunds")):
            pass


async def test_an_event_beyond_the_brokers_limit_is_rejected(broker: Nats) -> None:
    with pytest.raises(EventRejected):
        await publish(broker, replace(CAPTURED, data={"note": "x" * 2_000_000}))


async def test_an_event_beyond_the_streams_limit_is_rejected(broker: Nats) -> None:
    jetstream = await broker.jetstream()
    await jetstream.update_stream(
        api.StreamConfig(name="PAYMENTS", subjects=["payments.>"], max_msg_size=100)
    )

    with pytest.raises(EventRejected, match="too large"):
        await publish(broker)


async def test_a_full_stream_is_the_brokers_fault_and_not_the_events(broker: Nats) -> None:
    jetstream = await broker.jetstream()
    await jetstream.update_stream(
        api.StreamConfig(name="PAYMENTS", subjects=["payments.>"], max_msgs=1, discard=api.DiscardPolicy.NEW)
    )
    await publish(broker)

    with pytest.raises(CallFailed):
        await publish(broker, replace(CAPTURED, id=SequentialIds(2).new()))


async def test_a_deleted_stream_is_created_again(broker: Nats) -> None:
    await (await broker.jetstream()).delete_stream("PAYMENTS")

    with pytest.raises(NotSent, match="no_stream"):
        await publish(broker)
    await publish(broker)

    assert len(await stored(broker)) == 1


async def test_opening_needs_no_broker_and_everything_works_once_it_is_there() -> None:
    with server() as (url, port):
        pass
    async with nats(settings_for(url)) as broker:
        with pytest.raises(NotSent, match="not_connected"):
            await broker.check()
        with pytest.raises(NotSent, match="not_connected"):
            await publish(broker)

        with server(port):
            await until(lambda: works(broker))
            await publish(broker)
            assert len(await stored(broker)) == 1


async def test_a_server_that_was_away_is_used_again() -> None:
    with server() as (url, port):
        broker = await nats(settings_for(url)).__aenter__()
        await publish(broker)
    assert not await works(broker)
    with pytest.raises(CallFailed):
        await publish(broker)

    with server(port):
        await until(lambda: works(broker))
        await publish(broker)
        assert len(await stored(broker)) == 1  # the new server knows nothing of the old one's stream
        await broker.__aexit__(None, None, None)


async def test_a_broker_that_is_not_open_says_so(broker_url: str) -> None:
    broker = nats(settings_for(broker_url))

    with pytest.raises(NotStarted):
        await broker.check()
    async with broker:
        await broker.check()
    with pytest.raises(NotStarted):
        await publish(broker)


async def test_an_address_that_cannot_be_read_ends_the_start() -> None:
    with pytest.raises(ConfigError, match="nats: the address cannot be used"):
        async with nats(settings_for("nats://none:4222")):
            pass


async def test_a_subscriber_gets_every_event_also_those_from_before_it(broker: Nats) -> None:
    seen: list[Event] = []
    events = [replace(CAPTURED, id=SequentialIds(number).new()) for number in range(1, 6)]
    for event in events[:3]:
        await publish(broker, event)

    async def handle(event: Event) -> None:
        seen.append(event)

    async with running(broker.subscribe("ledger", handle)):
        for event in events[3:]:
            await publish(broker, event)
        await until(lambda: _is(len(seen) == 5))

    assert seen == events


async def _is(value: bool) -> bool:  # noqa: FBT001 - the shape that until() wants
    return value


async def test_a_subscriber_goes_on_where_the_one_before_it_stopped(broker: Nats) -> None:
    first: list[Event] = []
    second: list[Event] = []

    async def handle_first(event: Event) -> None:
        first.append(event)

    async def handle_second(event: Event) -> None:
        second.append(event)

    await publish(broker)
    async with running(broker.subscribe("ledger", handle_first)):
        await until(lambda: _acknowledged(broker, "ledger", 1))
    later = replace(CAPTURED, id=SequentialIds(2).new())
    await publish(broker, later)
    async with running(broker.subscribe("ledger", handle_second)):
        await until(lambda: _acknowledged(broker, "ledger", 2))

    assert (first, second) == ([CAPTURED], [later])


async def _acknowledged(broker: Nats, durable: str, up_to: int) -> bool:
    with suppress(Exception):  # the consumer may not exist yet
        info = await (await broker.jetstream()).consumer_info("PAYMENTS", durable)
        return info.ack_floor is not None and info.ack_floor.stream_seq == up_to
    return False


async def test_an_event_whose_handler_fails_is_delivered_again(broker: Nats) -> None:
    deliveries: list[Event] = []

    async def handle(event: Event) -> None:
        deliveries.append(event)
        if len(deliveries) < 3:
            raise ZeroDivisionError

    await publish(broker)
    async with running(broker.subscribe("ledger", handle)):
        await until(lambda: _acknowledged(broker, "ledger", 1))

    assert deliveries == [CAPTURED] * 3


async def test_a_handler_that_takes_too_long_is_stopped_and_the_event_delivered_again(broker: Nats) -> None:
    deliveries: list[Event] = []

    async def handle(event: Event) -> None:
        deliveries.append(event)
        if len(deliveries) == 1:
            await asyncio.Event().wait()

    await publish(broker)
    async with running(broker.subscribe("ledger", handle, ack_wait=0.5)):
        await until(lambda: _acknowledged(broker, "ledger", 1))

    assert deliveries == [CAPTURED] * 2


async def test_an_event_that_always_fails_is_given_up_and_does_not_stop_the_others(broker: Nats) -> None:
    poison = replace(CAPTURED, type="payment.poisoned")
    deliveries: list[str] = []

    async def handle(event: Event) -> None:
        deliveries.append(event.type)
        if event == poison:
            raise ZeroDivisionError

    await publish(broker, poison)
    await publish(broker, replace(CAPTURED, id=SequentialIds(2).new()))
    async with running(broker.subscribe("ledger", handle, max_deliver=2)):
        await until(lambda: _is(len(deliveries) == 3))

    assert sorted(deliveries) == ["payment.captured", "payment.poisoned", "payment.poisoned"]


async def test_a_message_that_is_no_event_is_delivered_once_and_stops_nobody(
    broker: Nats, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Event] = []

    async def handle(event: Event) -> None:
        seen.append(event)

    await broker.publish("payment.captured", b"4111111111111111", message_id="not-an-event")
    await publish(broker)
    async with running(broker.subscribe("ledger", handle)):
        await until(lambda: _acknowledged(broker, "ledger", 2))

    assert seen == [CAPTURED]
    assert caplog.text.count("no CloudEvents 1.0 JSON document") == 1
    assert "4111111111111111" not in caplog.text


async def test_replicas_of_a_subscriber_share_the_events(broker: Nats) -> None:
    seen: dict[int, list[Event]] = {1: [], 2: []}

    def handler(replica: int) -> Callable[[Event], Awaitable[None]]:
        async def handle(event: Event) -> None:
            seen[replica].append(event)
            # The first event of a replica ends only when the other replica has one as well.
            async with asyncio.timeout(20):
                while not all(seen.values()):  # noqa: ASYNC110 - two plain lists, no event to set
                    await asyncio.sleep(0.01)

        return handle

    events = [replace(CAPTURED, id=SequentialIds(number).new()) for number in range(1, 21)]
    for event in events:
        await publish(broker, event)
    async with (
        running(broker.subscribe("ledger", handler(1))),
        running(broker.subscribe("ledger", handler(2))),
    ):
        await until(lambda: _acknowledged(broker, "ledger", 20))

    assert sorted(event.id for event in seen[1] + seen[2]) == [event.id for event in events]


async def test_a_subscriber_filters_by_subject(broker: Nats) -> None:
    seen: list[str] = []

    async def handle(event: Event) -> None:
        seen.append(event.type)

    for number, kind in enumerate(["payment.captured", "payout.paid", "payment.voided"], start=1):
        await publish(broker, replace(CAPTURED, id=SequentialIds(number).new(), type=kind))
    async with running(broker.subscribe("ledger", handle, subject="payment.*")):
        await until(lambda: _acknowledged(broker, "ledger", 3))

    assert seen == ["payment.captured", "payment.voided"]


async def test_a_subscriber_survives_a_lost_broker() -> None:
    seen: list[Event] = []

    async def handle(event: Event) -> None:
        seen.append(event)

    with server() as (url, port):
        broker = await nats(settings_for(url)).__aenter__()
        subscription = running(broker.subscribe("ledger", handle))
        await subscription.__aenter__()
        await publish(broker)
        await until(lambda: _is(len(seen) == 1))

    with server(port):
        await until(lambda: works(broker))
        await publish(broker)
        await until(lambda: _is(len(seen) == 2))
        await subscription.__aexit__(None, None, None)
        await broker.__aexit__(None, None, None)


async def test_publishing_and_handling_are_one_trace(broker: Nats, spans: CapturedSpans) -> None:
    @traced("capture payment")
    async def capture() -> None:
        await publish(broker)

    @traced("book posting")
    async def handle(event: Event) -> None:
        del event

    await capture()
    async with running(broker.subscribe("ledger", handle)):
        await until(lambda: _acknowledged(broker, "ledger", 1))

    assert spans.tree() == (
        "capture payment\n"
        "  publish payments.payment.captured (producer)\n"
        "    process payments.payment.captured (consumer)\n"
        "      book posting"
    )
    (sent,) = spans.named("publish payments.payment.captured")
    assert sent.attributes is not None
    assert sent.attributes["messaging.system"] == "nats"
    assert sent.attributes["messaging.destination.name"] == "payments.payment.captured"
    assert sent.attributes["messaging.message.id"] == str(CAPTURED.id)


def test_the_servers_of_these_tests_are_stopped_and_started() -> None:
    """The restarts above would prove nothing if a stopped server kept its port."""
    first: AbstractContextManager[tuple[str, int]] = server()
    with first as (_, port):
        pass
    with server(port) as (_, again):
        assert again == port
