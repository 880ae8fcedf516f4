"""The sandbox as a client meets it, on a real socket: what each token does, and what is legal."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from platform_lib import ManualClock
from platform_lib.config import Secret
from platform_lib.sandbox import Sandbox, SandboxSettings
from tests.integration.sandbox.parties import (
    Caller,
    Receiver,
    api_key,
    calling,
    euros,
    sleepers,
    until,
)

# What each token makes of the authorisation, as the client sees it.


@pytest.mark.parametrize(
    ("token", "status", "decline_code"),
    [
        ("tok_approved", "approved", None),
        ("tok_declined", "declined", "do_not_honour"),
        ("tok_insufficient_funds", "declined", "insufficient_funds"),
        ("tok_expired_card", "declined", "expired_card"),
        ("tok_stolen_card", "declined", "stolen_card"),
        ("tok_3ds_required", "action_required", None),
        ("tok_capture_declined", "approved", None),
        ("tok_capture_reply_lost", "approved", None),
        ("tok_refund_declined", "approved", None),
        ("tok_refund_reply_lost", "approved", None),
        ("tok_webhook_first", "approved", None),
        ("tok_webhook_twice", "approved", None),
        ("tok_webhook_lost", "approved", None),
    ],
)
async def test_an_authorisation_is_answered_as_its_token_says(
    caller: Caller, token: str, status: str, decline_code: str | None
) -> None:
    reply = await caller.authorise(token, "order-1", 1250)

    assert reply.status_code == 201
    operation = reply.json()
    assert (operation["status"], operation["decline_code"]) == (status, decline_code)
    assert (operation["kind"], operation["reference"], operation["amount"]) == (
        "authorisation",
        "order-1",
        euros(1250),
    )
    assert operation["created_at"] == "2026-01-01T00:00:00.000Z"


async def test_another_amount_than_asked_for_can_be_approved(caller: Caller) -> None:
    reply = await caller.authorise("tok_amount_mismatch", minor_units=1250)

    assert reply.json()["amount"] == euros(1251)
    again = await caller.authorise("tok_amount_mismatch", minor_units=1250)
    assert (again.status_code, again.json()) == (200, reply.json())


async def test_a_lost_reply_closes_the_connection_without_a_byte_and_the_work_is_done(
    running: Sandbox, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"reference": "order-1", "amount": euros(1250), "token": "tok_reply_lost"}).encode()
    head = (
        f"POST /v1/authorisations HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head + body)
    received = await reader.read()
    writer.close()

    assert received == b""
    assert await caller.status_of("order-1") == "approved"
    assert [record.message for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_a_client_sees_a_lost_reply_as_a_broken_connection(caller: Caller) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await caller.authorise("tok_reply_lost", "order-1")

    again = await caller.authorise("tok_reply_lost", "order-1")

    assert (again.status_code, again.json()["status"]) == (200, "approved")


@pytest.mark.parametrize(
    ("token", "path"), [("tok_capture_reply_lost", "captures"), ("tok_refund_reply_lost", "refunds")]
)
async def test_the_reply_to_a_later_step_can_be_lost(caller: Caller, token: str, path: str) -> None:
    authorisation_id = await caller.authorised(token)
    if path == "refunds":
        assert (await caller.act(f"{authorisation_id}/captures", "cap", 1000)).status_code == 201

    with pytest.raises(httpx2.RemoteProtocolError):
        await caller.act(f"{authorisation_id}/{path}", "lost", 400)

    assert await caller.status_of("lost") == "approved"
    assert (await caller.act(f"{authorisation_id}/{path}", "lost", 400)).status_code == 200


@pytest.mark.parametrize(
    ("token", "path", "code"),
    [
        ("tok_capture_declined", "captures", "authorisation_expired"),
        ("tok_refund_declined", "refunds", "refund_not_permitted"),
    ],
)
async def test_a_later_step_can_be_declined(caller: Caller, token: str, path: str, code: str) -> None:
    authorisation_id = await caller.authorised(token)
    if path == "refunds":
        await caller.act(f"{authorisation_id}/captures", "cap", 1000)

    reply = await caller.act(f"{authorisation_id}/{path}", "step", 400)

    assert (reply.status_code, reply.json()["status"], reply.json()["decline_code"]) == (
        201,
        "declined",
        code,
    )


async def test_an_error_can_follow_success(caller: Caller) -> None:
    reply = await caller.authorise("tok_error_after_success", "order-1")

    assert (reply.status_code, reply.headers["Content-Type"]) == (500, "application/problem+json")
    assert await caller.status_of("order-1") == "approved"


async def test_a_reply_can_be_malformed(caller: Caller) -> None:
    reply = await caller.authorise("tok_malformed_reply", "order-1")

    assert reply.status_code == 201
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert await caller.status_of("order-1") == "approved"


async def test_a_rate_limited_request_does_no_work(caller: Caller) -> None:
    for _ in range(2):
        reply = await caller.authorise("tok_rate_limited", "order-1")
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")
        assert reply.json()["code"] == "rate_limited"

    assert await caller.status_of("order-1") == "absent"


async def test_a_slow_reply_comes_when_the_clock_says_but_its_work_is_done_at_once(
    running: Sandbox, caller: Caller, manual_clock: ManualClock, receiver: Receiver
) -> None:
    told = asyncio.Event()

    async def tell() -> None:
        told.set()

    receiver.before_answering = tell
    asking = asyncio.create_task(caller.authorise("tok_slow", "order-1"))
    await told.wait()

    assert await caller.status_of("order-1") == "approved"
    assert not asking.done()
    manual_clock.advance(running.settings.slow)
    assert (await asking).status_code == 201


async def test_late_work_is_not_there_until_the_slow_time_has_passed(
    caller: Caller, running: Sandbox
) -> None:
    asking = asyncio.create_task(caller.authorise("tok_late", "order-1"))
    await until(lambda: sleepers(running))

    assert await caller.status_of("order-1") == "absent"
    await caller.http.post("/sandbox/clock/advance", json={"seconds": 30})
    assert (await asking).json()["status"] == "approved"
    assert await caller.status_of("order-1") == "approved"


async def test_work_is_done_although_the_client_stopped_waiting(caller: Caller, running: Sandbox) -> None:
    asking = asyncio.create_task(caller.authorise("tok_late", "order-1"))
    await until(lambda: sleepers(running))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    await caller.http.post("/sandbox/clock/advance", json={"seconds": 30})
    assert await caller.status_of("order-1") == "approved"


# References, amounts, keys.


async def test_the_same_reference_is_done_once_even_when_asked_for_at_the_same_time(caller: Caller) -> None:
    replies = await asyncio.gather(*(caller.authorise("tok_approved", "order-1") for _ in range(16)))

    assert sorted(reply.status_code for reply in replies) == [200] * 15 + [201]
    assert len({reply.text for reply in replies}) == 1


async def test_another_request_under_the_same_reference_is_a_conflict(caller: Caller) -> None:
    await caller.authorise("tok_approved", "order-1", 1000)

    reply = await caller.authorise("tok_approved", "order-1", 999)

    assert (reply.status_code, reply.json()["code"]) == (409, "reference_reused")
    assert reply.headers["Content-Type"] == "application/problem+json"


async def test_a_capture_beyond_the_authorised_amount_is_refused(caller: Caller) -> None:
    authorisation_id = await caller.authorised("tok_approved")
    await caller.act(f"{authorisation_id}/captures", "cap-1", 600)

    reply = await caller.act(f"{authorisation_id}/captures", "cap-2", 401)

    assert (reply.status_code, reply.json()["code"]) == (422, "capture_exceeds_authorisation")
    assert await caller.status_of("cap-2") == "absent"


async def test_an_authorisation_shows_its_sums_and_operations(caller: Caller) -> None:
    authorisation_id = await caller.authorised("tok_approved")
    await caller.act(f"{authorisation_id}/captures", "cap", 600)
    await caller.act(f"{authorisation_id}/refunds", "ref", 100)

    shown = (await caller.http.get(f"/v1/authorisations/{authorisation_id}")).json()

    assert (shown["status"], shown["amount"], shown["captured"], shown["refunded"]) == (
        "captured",
        euros(1000),
        euros(600),
        euros(100),
    )
    assert [one["kind"] for one in shown["operations"]] == ["authorisation", "capture", "refund"]


async def test_a_voided_authorisation_cannot_be_captured(caller: Caller) -> None:
    authorisation_id = await caller.authorised("tok_approved")

    assert (await caller.act(f"{authorisation_id}/voids", "void")).json()["kind"] == "void"
    reply = await caller.act(f"{authorisation_id}/captures", "cap", 1)
    assert (reply.status_code, reply.json()["code"]) == (422, "not_capturable")


@pytest.mark.parametrize("path", ["/v1/operations/nothing", "/v1/authorisations/auth_nothing", "/nowhere"])
async def test_what_does_not_exist_is_a_404_problem(caller: Caller, path: str) -> None:
    reply = await caller.http.get(path)

    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
async def test_nothing_is_answered_without_the_api_key(running: Sandbox, headers: dict[str, str]) -> None:
    async with httpx2.AsyncClient(base_url=running.url, trust_env=False, headers=headers) as http:
        body = {"reference": "order-1", "amount": euros(1), "token": "tok_approved"}
        replies = [await http.post("/v1/authorisations", json=body), await http.get("/v1/operations")]

    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(401, "api_key_refused")] * 2
    assert running.state.operations() == []


async def test_every_version_of_the_api_key_is_accepted() -> None:
    async with (
        Sandbox(SandboxSettings(api_key=Secret("sk_new", api_key))) as sandbox,
        calling(sandbox) as caller,
    ):
        assert (await caller.authorise("tok_approved")).status_code == 201


@pytest.mark.parametrize(
    ("amount", "location"),
    [
        ({"minor_units": 12.0, "currency": "EUR"}, "body.amount.minor_units"),
        ({"minor_units": "1250", "currency": "EUR"}, "body.amount.minor_units"),
        ({"minor_units": True, "currency": "EUR"}, "body.amount.minor_units"),
        ({"minor_units": 0, "currency": "EUR"}, "body.amount.minor_units"),
        ({"minor_units": 1250, "currency": "XXX"}, "body.amount.currency"),
        ({"minor_units": 1250, "currency": "EUR", "4242424242424242": "x"}, "body.amount"),
    ],
)
async def test_an_amount_is_whole_minor_units_of_a_live_currency(
    caller: Caller, amount: dict[str, Any], location: str
) -> None:
    body = {"reference": "order-1", "amount": amount, "token": "tok_approved"}
    reply = await caller.http.post("/v1/authorisations", json=body)

    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_request")
    assert [error["location"] for error in reply.json()["errors"]] == [location]
    assert "4242" not in reply.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"reference": NaN}', b'{"\\ud800": "\\udfff"}', b"[]", b"\xff"]
)
async def test_a_body_that_is_no_request_is_refused_with_a_problem(caller: Caller, body: bytes) -> None:
    reply = await caller.http.post(
        "/v1/authorisations", content=body, headers={"Content-Type": "application/json"}
    )

    assert reply.status_code in {400, 422}
    assert reply.headers["Content-Type"] == "application/problem+json"


async def test_a_token_that_is_none_is_refused_without_repeating_it(caller: Caller) -> None:
    reply = await caller.authorise("4242424242424242")

    assert (reply.status_code, reply.json()["code"]) == (422, "unknown_token")
    assert "4242" not in reply.text
