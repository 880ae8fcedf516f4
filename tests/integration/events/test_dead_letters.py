"""What a consumer gives up on is kept, with what a person needs to mend it; nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from platform_lib import ManualClock
from platform_lib.clients import Postgres
from platform_lib.events import DeadLetters, Event, Nats
from tests.integration.events.one_event import CAPTURED, publish
from tests.integration.events.support import holds, running, until


async def test_an_event_whose_handler_always_fails_is_given_up_and_kept(
    broker: Nats, database: Postgres, clock: ManualClock
) -> None:
    letters = DeadLetters("ledger", clock=clock)
    tries = 0

    async def handle(event: Event) -> None:  # noqa: ARG001  # the shape of a handler
        nonlocal tries
        tries += 1
        raise ZeroDivisionError

    async def give_up(event: Event, error: Exception) -> None:
        async with database.transaction() as connection:
            await letters.add(connection, event, error)

    async def kept() -> bool:
        async with database.connection() as connection:
            return await letters.count(connection) == 1

    await publish(broker)
    async with running(broker.subscribe("ledger", handle, max_deliver=2, give_up=give_up)):
        await until(kept)

    async with database.connection() as connection:
        (letter,) = await letters.waiting(connection)
    assert (letter.event, letter.reason, letter.given_up_at) == (CAPTURED, "ZeroDivisionError", clock.now())
    assert tries == 2


async def test_an_event_that_cannot_be_given_up_is_tried_again(broker: Nats) -> None:
    """The database is away for both, say; then neither effect nor dead letter may be missed."""
    tries: list[str] = []

    async def handle(event: Event) -> None:  # noqa: ARG001  # as above
        tries.append("handle")
        if len(tries) < 4:
            raise ZeroDivisionError

    async def give_up(event: Event, error: Exception) -> None:  # noqa: ARG001  # as above
        tries.append("give up")
        raise ConnectionError

    await publish(broker)
    async with running(broker.subscribe("ledger", handle, max_deliver=1, give_up=give_up)):
        await until(lambda: holds(len(tries) == 5))

    assert tries == ["handle", "give up", "handle", "give up", "handle"]


async def test_a_dead_letter_is_kept_once_and_forgotten_once(database: Postgres, clock: ManualClock) -> None:
    letters = DeadLetters("ledger", clock=clock)
    other = DeadLetters("mails", clock=clock)
    earlier = replace(CAPTURED, id=UUID(int=7), time=CAPTURED.time - timedelta(hours=1))

    async with database.transaction() as connection:
        for event in (CAPTURED, CAPTURED, earlier):
            await letters.add(connection, event, ValueError("4242424242424242"))
        assert [letter.event for letter in await letters.waiting(connection)] == [earlier, CAPTURED]
        assert await other.waiting(connection) == []
        assert await letters.remove(connection, CAPTURED)
        assert not await letters.remove(connection, CAPTURED)
        assert [letter.reason for letter in await letters.waiting(connection)] == ["ValueError"]
