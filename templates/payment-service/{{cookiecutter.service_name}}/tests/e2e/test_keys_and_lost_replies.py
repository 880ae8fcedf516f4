"""Sent twice, answered once; and what becomes of a payment whose reply was lost."""

import asyncio

import pytest
from merchant import Merchant, authenticated
from platform_lib import ManualClock
from platform_lib.sandbox import Sandbox
from platform_lib.testing import CapturedSpans

from {{ cookiecutter.package }}.wiring import Wired

ACME, OTHER = authenticated("acme").items(), authenticated("other").items()


async def test_the_same_key_twice_gets_the_same_bytes(merchant: Merchant, sandbox: Sandbox) -> None:
    first = await merchant.pay(key="once")
    await merchant.post(f"/{first.json()['id']}/capture")
    second = await merchant.pay(key='"once"')  # the same key as an RFC 8941 string

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(sandbox.state.authorisations()) == 1


async def test_the_same_key_from_many_clients_at_once_charges_once(
    merchant: Merchant, sandbox: Sandbox, spans: CapturedSpans
) -> None:
    responses = await asyncio.gather(*(merchant.pay(key="once") for _ in range(12)))

    assert len(sandbox.state.authorisations()) == 1
    spans.assert_count("authorise at provider", 1)
    spans.assert_path("POST /v1/payments", "authorise payment", "authorise at provider")
    assert {response.status_code for response in responses} <= {201, 409}
    assert len({response.content for response in responses if response.status_code == 201}) == 1


async def test_a_key_belongs_to_one_request_of_one_merchant(merchant: Merchant) -> None:
    await merchant.pay(key="once")

    reused = await merchant.pay("tok_declined", key="once")
    others = await Merchant(merchant.http, "other").pay(key="once")

    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert (others.status_code, "Idempotency-Replayed" in others.headers) == (201, False)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ([*ACME], 400, "idempotency_key_missing"),
        ([*ACME, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")], 400, "idempotency_key_invalid"),
        ([("Idempotency-Key", "a")], 401, "unauthenticated"),
        ([("Merchant-Id", "acme"), ("Idempotency-Key", "a")], 401, "unauthenticated"),
        ([*ACME, *OTHER, ("Idempotency-Key", "a")], 401, "unauthenticated"),
    ],
)
async def test_a_request_without_one_key_of_one_merchant_is_refused(
    merchant: Merchant, sandbox: Sandbox, headers: list[tuple[str, str]], status: int, code: str
) -> None:
    body = {
        "amount": {"minor_units": 1250, "currency": "EUR"},
        "payment_token": "tok_approved",
        "merchant_reference": "order-1",
    }

    refused = await merchant.http.post("/v1/payments", json=body, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert sandbox.state.authorisations() == []


@pytest.mark.parametrize("token", ["tok_reply_lost", "tok_error_after_success", "tok_malformed_reply"])
async def test_a_lost_reply_is_unknown_until_the_provider_was_asked(
    merchant: Merchant, wired: Wired, token: str
) -> None:
    # Given a reply that was lost after the provider did the work
    lost = await merchant.pay(token, key="once")
    assert (lost.status_code, lost.json()["state"]) == (202, "unknown")
    payment = f"/{lost.json()['id']}"

    # Then nothing else can be begun on the payment
    busy = await merchant.post(f"{payment}/capture")
    assert (busy.status_code, busy.json()["code"]) == (409, "operation_in_progress")

    # When the sweeper asks the provider, the truth is known, and the first answer stays what it was
    assert await wired.sweeper.sweep() == 1
    assert (await merchant.get(payment)).json()["state"] == "authorised"
    replayed = await merchant.pay(token, key="once")
    assert (replayed.status_code, replayed.content) == (202, lost.content)


@pytest.mark.parametrize(
    ("token", "operation", "state"),
    [
        ("tok_capture_reply_lost", "capture", "captured"),
        ("tok_refund_reply_lost", "refunds", "refunded"),
    ],
)
async def test_lost_replies_of_captures_and_refunds_are_found_too(
    merchant: Merchant, wired: Wired, token: str, operation: str, state: str
) -> None:
    payment = f"/{(await merchant.pay(token)).json()['id']}"
    if operation == "refunds":
        await merchant.post(f"{payment}/capture")

    lost = await merchant.post(f"{payment}/{operation}")
    assert (lost.status_code, lost.json()["state"]) == (202, "unknown")

    await wired.sweeper.sweep()
    assert (await merchant.get(payment)).json()["state"] == state


async def test_a_provider_that_approves_another_amount_is_never_believed(
    merchant: Merchant, wired: Wired
) -> None:
    paid = await merchant.pay("tok_amount_mismatch")
    await wired.sweeper.sweep()

    payment = (await merchant.get(f"/{paid.json()['id']}")).json()
    assert (paid.status_code, payment["state"]) == (202, "unknown")
    assert payment["attempts"][0]["decline_code"] == "amount_mismatch"


async def test_a_payment_that_the_provider_never_saw_fails_after_a_while(
    merchant: Merchant, wired: Wired, sandbox: Sandbox, clock: ManualClock
) -> None:
    payment = f"/{(await merchant.pay('tok_reply_lost')).json()['id']}"
    sandbox.state.clear()

    await wired.sweeper.sweep()
    assert (await merchant.get(payment)).json()["state"] == "unknown"

    clock.advance(wired.use_cases.not_found_after.total_seconds())
    await wired.sweeper.sweep()
    assert (await merchant.get(payment)).json()["state"] == "failed"
