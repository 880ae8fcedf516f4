"""What the sandbox tells by webhook: signed, in every order, tried again when the clock says."""

from __future__ import annotations

import asyncio
import json
import socket

import httpx2
import pytest
from starlette.responses import Response

from platform_lib import ConfigError, ManualClock
from platform_lib.payments import WebhookSignatureMismatch, WebhookVerifier
from platform_lib.sandbox import Sandbox, SandboxSettings
from tests.integration.sandbox.parties import (
    Caller,
    Receiver,
    until,
    webhook_secret,
)


@pytest.mark.parametrize(
    ("outcome", "event"), [("approve", "operation.approved"), ("decline", "operation.declined")]
)
async def test_a_challenge_is_answered_by_the_customer_and_told_by_webhook(
    running: Sandbox, caller: Caller, receiver: Receiver, outcome: str, event: str
) -> None:
    waiting = (await caller.authorise("tok_3ds_required", "order-1")).json()
    await running.webhooks.quiet()
    assert receiver.received == []
    assert waiting["redirect_url"] == f"{running.url}/v1/challenges/{waiting['authorisation_id']}"

    async with httpx2.AsyncClient(trust_env=False) as browser:
        page = await browser.get(waiting["redirect_url"])
        answer = await browser.post(waiting["redirect_url"], json={"outcome": outcome})
    await running.webhooks.quiet()

    assert "10.00 EUR" in page.text
    assert (answer.status_code, answer.json()["redirect_url"]) == (200, None)
    assert receiver.types == [event]
    assert json.loads(receiver.received[0][1])["data"] == answer.json()
    assert f"operation.{await caller.status_of('order-1')}" == event


async def test_a_challenge_is_answered_once(caller: Caller) -> None:
    authorisation_id = await caller.authorised("tok_3ds_required")
    path = f"/v1/challenges/{authorisation_id}"
    await caller.http.post(path, json={"outcome": "approve"})

    reply = await caller.http.post(path, json={"outcome": "decline"})

    assert (reply.status_code, reply.json()["code"]) == (409, "challenge_not_pending")


async def test_webhooks_are_signed_so_that_the_platform_verifies_them(
    running: Sandbox, caller: Caller, receiver: Receiver, manual_clock: ManualClock
) -> None:
    operation = (await caller.authorise("tok_approved")).json()
    await running.webhooks.quiet()

    [(headers, body)] = receiver.received
    verified = WebhookVerifier(webhook_secret, manual_clock).verify(headers, body)
    event = json.loads(body)
    assert event == {"type": "operation.approved", "id": verified.id, "data": operation}
    assert event["id"].startswith("evt_")
    with pytest.raises(WebhookSignatureMismatch):
        WebhookVerifier(webhook_secret, manual_clock).verify(headers, body + b" ")


async def test_every_settled_operation_is_told(running: Sandbox, caller: Caller, receiver: Receiver) -> None:
    authorisation_id = await caller.authorised("tok_refund_declined")
    await caller.act(f"{authorisation_id}/captures", "cap", 600)
    await caller.act(f"{authorisation_id}/refunds", "ref", 600)
    await caller.act(f"{authorisation_id}/refunds", "ref", 600)
    await running.webhooks.quiet()

    told = {json.loads(body)["data"]["reference"]: json.loads(body)["type"] for _, body in receiver.received}
    assert told == {"auth": "operation.approved", "cap": "operation.approved", "ref": "operation.declined"}
    assert len(receiver.received) == 3


async def test_a_webhook_tells_of_work_whose_reply_was_lost(
    running: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await caller.authorise("tok_reply_lost")
    await until(lambda: running.webhooks.deliveries)
    await running.webhooks.quiet()

    assert receiver.types == ["operation.approved"]


async def test_a_webhook_can_arrive_before_the_answer(caller: Caller, receiver: Receiver) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await go_on.wait()

    receiver.before_answering = hold
    asking = asyncio.create_task(caller.authorise("tok_webhook_first"))
    await arrived.wait()

    assert not asking.done()
    go_on.set()
    assert (await asking).status_code == 201


async def test_a_webhook_can_arrive_twice_or_never(
    running: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    await caller.authorise("tok_webhook_twice", "order-1")
    await caller.authorise("tok_webhook_lost", "order-2")
    await running.webhooks.quiet()

    assert [json.loads(body)["data"]["reference"] for _, body in receiver.received] == ["order-1"] * 2
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1


async def test_a_refused_webhook_is_tried_again_when_the_clock_says(
    running: Sandbox, caller: Caller, receiver: Receiver, manual_clock: ManualClock
) -> None:
    receiver.answers = [Response(status_code=500), Response(status_code=302, headers={"Location": "/"})]
    await caller.authorise("tok_approved")
    await running.webhooks.quiet()
    for seconds, received in [(4.9, 1), (0.1, 2), (299, 2), (1, 3), (86_400, 3)]:
        manual_clock.advance(seconds)
        await running.webhooks.quiet()
        assert len(receiver.received) == received

    [delivery] = running.webhooks.deliveries
    assert delivery.status == "delivered"
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 204]
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    first, *_, last = (int(headers["webhook-timestamp"]) for headers, _ in receiver.received)
    assert last - first == 305


async def test_retry_after_lengthens_the_wait(
    running: Sandbox, caller: Caller, receiver: Receiver, manual_clock: ManualClock
) -> None:
    receiver.answers = [Response(status_code=429, headers={"Retry-After": "60"})]
    await caller.authorise("tok_approved")
    await running.webhooks.quiet()
    for seconds, received in [(59, 1), (1, 2)]:
        manual_clock.advance(seconds)
        await running.webhooks.quiet()
        assert len(receiver.received) == received


async def test_a_receiver_that_is_gone_is_told_nothing_more(
    running: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    receiver.answers = [Response(status_code=410)]
    await caller.authorise("tok_approved", "order-1")
    await running.webhooks.quiet()
    await caller.authorise("tok_approved", "order-2")
    await running.webhooks.quiet()

    assert len(receiver.received) == 1
    assert [delivery.status for delivery in running.webhooks.deliveries] == ["abandoned"]


async def test_ten_attempts_are_enough(running: Sandbox, caller: Caller, manual_clock: ManualClock) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        running.send_webhooks_to(f"http://127.0.0.1:{nobody.getsockname()[1]}/events")
        await caller.authorise("tok_approved")
        for _ in range(12):
            await running.webhooks.quiet()
            manual_clock.advance(86_400)

    [delivery] = running.webhooks.deliveries
    assert delivery.status == "abandoned"
    assert [attempt.error for attempt in delivery.attempts] == ["ConnectError"] * 10


async def test_a_retry_goes_to_where_the_receiver_moved(
    running: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    running.send_webhooks_to(receiver.url.replace("/events", "/old"))
    await caller.authorise("tok_approved")
    await running.webhooks.quiet()
    assert receiver.received == []

    await caller.http.put("/sandbox/webhooks", json={"url": receiver.url})
    state = (await caller.http.post("/sandbox/clock/advance", json={"seconds": 5})).json()

    assert receiver.types == ["operation.approved"]
    assert [attempt["status"] for attempt in state["webhooks"][0]["attempts"]] == [404, 204]


def test_a_webhook_address_without_a_secret_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="webhook_secret"):
        Sandbox(SandboxSettings(webhook_url="http://127.0.0.1:1/events"))
