"""Captures and refunds are heard → the day ends → the settlement is closed and others hear of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import httpx2
from platform_lib import ManualClock
from platform_lib.events import Event, nats
from platform_lib.testing import CapturedSpans
from sender import Sender

from settlements.settings import WorkerSettings
from settlements.wiring import Wired


async def until(met: Callable[[], Awaitable[bool]]) -> None:
    """Return once *met* says so; fail after ten seconds."""
    async with asyncio.timeout(10):
        while not await met():
            await asyncio.sleep(0.02)


async def movements(wired: Wired) -> int:
    async with wired.store.transaction() as transaction:
        return sum(one.movements for one in await transaction.lock_open(date.max, limit=100))


async def test_a_day_is_settled(
    client: httpx2.AsyncClient,
    wired: Wired,
    settings: WorkerSettings,
    sender: Sender,
    clock: ManualClock,
) -> None:
    # Given a day with two captures, one of them delivered twice, a refund, and things that move no money
    today = clock.now().date()
    twice = sender.event("captured", 1000)
    await sender.send(twice)
    await sender.send_again(twice)
    for event in (
        sender.event("authorised"),
        sender.event("captured", 500),
        sender.event("refunded", 200),
        sender.event("declined"),
    ):
        await sender.send(event)

    async def all_heard() -> bool:
        return await movements(wired) == 3

    await until(all_heard)

    # When the day and its grace are over
    clock.advance(timedelta(days=1, hours=1).total_seconds())

    # Then others hear what the merchant is owed, once
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    async with nats(settings.events) as broker:
        listening = asyncio.ensure_future(broker.subscribe("test", hear)())

        async def told() -> bool:
            clock.advance(1)  # the relay looks again
            return bool(heard)

        await until(told)
        listening.cancel()
        await asyncio.wait([listening])
    (closed,) = heard
    assert (closed.type, closed.merchant_id) == ("settlement.closed", "acme")
    assert closed.data["day"] == today.isoformat()
    assert closed.data["total"] == {"minor_units": 1300, "currency": "EUR"}
    assert closed.data["movements"] == 3
    assert (await client.get("/readyz")).status_code == 200


async def test_an_event_that_cannot_be_handled_waits_for_a_person_and_the_next_goes_on(
    client: httpx2.AsyncClient, wired: Wired, sender: Sender, clock: ManualClock
) -> None:
    first = sender.event()
    contradicting = sender.event(attempt_id=first.data["attempt_id"])
    for event in (first, sender.event(amount=None), contradicting, sender.event()):
        await sender.send(event)

    async def all_dealt_with() -> bool:
        return await movements(wired) == 2 and await wired.store.count_buried() == 2

    await until(all_dealt_with)

    letters = await wired.store.buried(limit=10)
    assert {letter.reason for letter in letters} == {"UnreadableEvent", "UniqueViolationError"}

    async def warned() -> bool:
        clock.advance(1)  # the checks look again
        report = await client.get("/readyz?verbose")
        return report.status_code == 200 and report.json()["status"] == "warn"

    await until(warned)


async def test_the_trace_of_a_payment_leads_into_its_settlement(
    client: httpx2.AsyncClient, wired: Wired, sender: Sender, spans: CapturedSpans
) -> None:
    await sender.send(sender.event())

    async def heard() -> bool:
        return await movements(wired) == 1

    await until(heard)

    async def acknowledged() -> bool:
        return bool(spans.named("process payments.payment.captured"))

    await until(acknowledged)
    spans.assert_path(
        "publish payments.payment.captured",
        "process payments.payment.captured",
        "record movement",
        "accept_into_inbox",
    )
