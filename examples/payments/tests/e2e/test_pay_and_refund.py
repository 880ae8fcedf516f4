"""Authorise → capture → refund, and the ways in which it does not go through."""

import asyncio
from typing import Any

import pytest
from merchant import Merchant, authenticated
from platform_lib import ManualClock
from platform_lib.events import Event, nats
from platform_lib.sandbox import Sandbox
from platform_lib.testing import CapturedSpans

from payments.settings import PaymentsSettings


def eur(minor_units: int) -> dict[str, Any]:
    return {"minor_units": minor_units, "currency": "EUR"}


async def test_a_payment_is_authorised_captured_and_refunded(merchant: Merchant, sandbox: Sandbox) -> None:
    # Given a customer's token, when the merchant takes the payment and sends the goods
    paid = await merchant.pay()
    payment = paid.json()
    assert (paid.status_code, payment["state"], payment["authorised"]) == (201, "authorised", eur(1250))

    captured = await merchant.post(f"/{payment['id']}/capture")
    assert (captured.status_code, captured.json()["state"]) == (200, "captured")

    # And one article comes back, then the others
    refunded = await merchant.post(f"/{payment['id']}/refunds", {"amount": eur(250)})
    assert (refunded.json()["state"], refunded.json()["refunded"]) == ("captured", eur(250))
    refunded = await merchant.post(f"/{payment['id']}/refunds")

    # Then our books and the provider's say the same
    assert (refunded.json()["state"], refunded.json()["refunded"]) == ("refunded", eur(1250))
    assert (await merchant.get(f"/{payment['id']}")).json() == refunded.json()
    (authorisation,) = sandbox.state.authorisations()
    assert authorisation.status == "refunded"
    assert [operation.reference for operation in authorisation.operations] == [
        attempt["id"] for attempt in refunded.json()["attempts"]
    ]


async def test_a_declined_card_is_an_outcome(merchant: Merchant) -> None:
    declined = await merchant.pay("tok_insufficient_funds")

    assert declined.status_code == 201
    assert declined.json()["state"] == "declined"
    assert declined.json()["decline_code"] == "insufficient_funds"
    assert declined.json()["authorised"] == eur(0)


async def test_what_is_held_can_be_released(merchant: Merchant, sandbox: Sandbox) -> None:
    payment = (await merchant.pay()).json()

    voided = await merchant.post(f"/{payment['id']}/void")

    assert (voided.status_code, voided.json()["state"]) == (200, "voided")
    assert sandbox.state.authorisations()[0].status == "voided"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/capture", {"amount": eur(1251)}, "capture_exceeds_authorisation"),
        ("/capture", {"amount": {"minor_units": 1, "currency": "SEK"}}, "currency_differs"),
        ("/refunds", None, "payment_not_refundable"),
    ],
)
async def test_a_refusal_says_why_and_leaves_the_key_free(
    merchant: Merchant, path: str, body: Any, code: str
) -> None:
    payment = (await merchant.pay()).json()

    refused = await merchant.post(f"/{payment['id']}{path}", body, key="once-more")

    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert (await merchant.get(f"/{payment['id']}")).json() == payment
    captured = await merchant.post(f"/{payment['id']}/capture", key="once-more")
    assert captured.status_code == 200


async def test_another_merchants_payment_is_not_found(merchant: Merchant) -> None:
    payment = (await merchant.pay()).json()
    other = Merchant(merchant.http, "other")

    for response in (
        await other.get(f"/{payment['id']}"),
        await other.post(f"/{payment['id']}/capture"),
        await other.post(f"/{payment['id']}/void"),
        await other.post(f"/{payment['id']}/refunds"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "payment_not_found")
    assert (await other.get()).json() == {"payments": [], "next": None}


async def test_payments_are_listed_page_by_page(merchant: Merchant) -> None:
    made = [(await merchant.pay()).json()["id"] for _ in range(3)]

    first = (await merchant.get("?limit=2")).json()
    second = (await merchant.get(f"?limit=2&after={first['next']}")).json()

    assert [payment["id"] for payment in first["payments"] + second["payments"]] == made[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("member", "value", "location"),
    [
        ("amount", eur(0), "body.amount.minor_units"),
        ("amount", {"minor_units": "1250", "currency": "EUR"}, "body.amount.minor_units"),
        ("amount", {"minor_units": True, "currency": "EUR"}, "body.amount.minor_units"),
        ("amount", {"minor_units": 1250, "currency": "XXX"}, "body.amount.currency"),
        ("payment_token", "4242424242424242", "body.payment_token"),
        ("merchant_reference", "card-4242424242424242", "body.merchant_reference"),
    ],
)
async def test_bad_input_is_named_and_never_repeated(
    merchant: Merchant, member: str, value: Any, location: str
) -> None:
    body = {"amount": eur(1250), "payment_token": "tok_approved", "merchant_reference": "order-1"}

    refused = await merchant.post("", {**body, member: value})

    assert refused.status_code == 422
    assert [error["location"] for error in refused.json()["errors"]] == [location]
    assert "4242424242424242" not in refused.text


async def test_what_happened_is_heard_on_the_broker(
    merchant: Merchant, settings: PaymentsSettings, clock: ManualClock
) -> None:
    payment = (await merchant.pay()).json()
    await merchant.post(f"/{payment['id']}/capture")
    heard: list[Event] = []
    enough = asyncio.Event()

    async def hear(event: Event) -> None:
        heard.append(event)
        if len(heard) == 2:
            enough.set()

    clock.advance(1)  # the relay looks again
    async with nats(settings.events) as broker:
        listening = asyncio.ensure_future(broker.subscribe("test", hear)())
        await asyncio.wait_for(enough.wait(), timeout=10)
        listening.cancel()
        await asyncio.wait([listening])

    assert [event.type for event in heard] == ["payment.authorised", "payment.captured"]
    assert {event.subject for event in heard} == {payment["id"]}
    assert heard[1].data["amount"] == eur(1250)


async def test_whose_payments_they_are_is_told_by_the_key_and_not_by_the_caller(merchant: Merchant) -> None:
    await merchant.pay()

    theirs = await merchant.http.get(
        "/v1/payments", headers={**authenticated("other"), "Merchant-Id": "acme"}
    )
    nobodys = await merchant.http.get("/v1/payments", headers={"Merchant-Id": "acme"})

    assert theirs.json()["payments"] == []
    assert (nobodys.status_code, nobodys.headers["WWW-Authenticate"]) == (401, 'Bearer realm="merchants"')


async def test_one_trace_leads_from_the_request_to_provider_database_and_outbox(
    merchant: Merchant, spans: CapturedSpans
) -> None:
    spans.clear()
    payment = (await merchant.pay()).json()

    assert (
        spans.tree()
        == """\
POST /v1/payments (server)
  authorise payment
    claim_key (client)
    add_payment (client)
    add_attempt (client)
    authorise at provider (client)
    lock_payment (client)
    find_payment (client)
    save_payment (client)
    save_attempt (client)
    add_to_outbox (client)
    settle_key (client)"""
    )
    (use_case,) = spans.named("authorise payment")
    assert use_case.attributes is not None
    assert use_case.attributes["payment.id"] == payment["id"]
    assert use_case.attributes["attempt.id"] == payment["attempts"][0]["id"]
