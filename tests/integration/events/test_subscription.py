"""Subscribers on a real NATS server: every event is handled, by one of them, and a failure comes again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from platform_lib import SequentialIds
from platform_lib.events import Event, Nats, nats
from platform_lib.telemetry import traced
from platform_lib.testing import CapturedSpans
from tests.integration.events.one_event import CAPTURED, publish, settings_for, works
from tests.integration.events.support import (
    holds,
    running,
    server,
    until,
)


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
        await until(lambda: holds(len(seen) == 5))

    assert seen == events


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
        await until(lambda: holds(len(deliveries) == 3))

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
        await until(lambda: holds(len(seen) == 1))

    with server(port):
        await until(lambda: works(broker))
        await publish(broker)
        await until(lambda: holds(len(seen) == 2))
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
