"""The broker, on a real NATS server: what is published is stored once, and a lost server is only a pause."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from nats.js import api

from platform_lib import SequentialIds, strict_json
from platform_lib.errors import CallFailed, ConfigError, NotSent, NotStarted
from platform_lib.events import Event, EventRejected, Nats, nats
from tests.integration.events.one_event import CAPTURED, publish, settings_for, works
from tests.integration.events.support import (
    server,
    stored,
    until,
)


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


def test_the_servers_of_these_tests_are_stopped_and_started() -> None:
    """The restarts above would prove nothing if a stopped server kept its port."""
    first: AbstractContextManager[tuple[str, int]] = server()
    with first as (_, port):
        pass
    with server(port) as (_, again):
        assert again == port
