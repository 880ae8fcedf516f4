"""The provider calls us: signed, more than once, before the answer, or about nothing we know."""

import json
from typing import Any

import httpx2
import pytest
from merchant import Merchant
from platform_lib import ManualClock
from platform_lib.config import Secret
from platform_lib.payments import WebhookSigner

from payments.settings import PaymentsSettings


class ProviderCalls:
    """What the provider sends."""

    def __init__(self, http: httpx2.AsyncClient, secret: Secret, clock: ManualClock) -> None:
        self.http = http
        self.signer = WebhookSigner(secret)
        self.clock = clock

    async def send(self, operation: dict[str, Any], *, event: str = "evt_1") -> httpx2.Response:
        body = json.dumps({"type": "operation.approved", "id": event, "data": operation}).encode()
        return await self.deliver(body, self.signer.sign(event, self.clock.now(), body))

    async def deliver(self, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        return await self.http.post("/v1/provider-events", content=body, headers=headers)


@pytest.fixture
def provider(merchant: Merchant, settings: PaymentsSettings, clock: ManualClock) -> ProviderCalls:
    return ProviderCalls(merchant.http, settings.provider.webhook_secret, clock)


def operation(payment: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the provider says about the authorisation of *payment*."""
    return {
        "id": "op_1",
        "reference": payment["attempts"][0]["id"],
        "kind": "authorisation",
        "status": "approved",
        "amount": payment["amount"],
        "authorisation_id": "auth_1",
        "decline_code": None,
        "redirect_url": None,
        "created_at": "2026-01-01T00:00:00Z",
        **changes,
    }


async def test_a_confirmed_payment_is_heard_of(merchant: Merchant, provider: ProviderCalls) -> None:
    # Given a payment that the customer has to confirm
    waiting = (await merchant.pay("tok_3ds_required")).json()
    assert waiting["state"] == "requires_action"
    assert waiting["next_action"]["redirect_url"]

    # When the provider says that it was confirmed, twice
    for _ in range(2):
        assert (await provider.send(operation(waiting))).status_code == 200

    # Then the payment is authorised and nothing is left to do for the customer
    payment = (await merchant.get(f"/{waiting['id']}")).json()
    assert (payment["state"], payment["next_action"]) == ("authorised", None)


async def test_a_webhook_settles_a_lost_reply(merchant: Merchant, provider: ProviderCalls) -> None:
    lost = (await merchant.pay("tok_reply_lost")).json()

    await provider.send(operation(lost))

    assert (await merchant.get(f"/{lost['id']}")).json()["state"] == "authorised"


async def test_late_truth_changes_no_settled_payment(merchant: Merchant, provider: ProviderCalls) -> None:
    paid = (await merchant.pay()).json()

    heard = await provider.send(operation(paid, status="declined", decline_code="stolen_card"))

    assert heard.status_code == 200
    assert (await merchant.get(f"/{paid['id']}")).json() == paid


async def test_an_event_about_another_amount_is_not_believed(
    merchant: Merchant, provider: ProviderCalls
) -> None:
    lost = (await merchant.pay("tok_reply_lost")).json()

    await provider.send(operation(lost, amount={"minor_units": 1, "currency": "EUR"}))

    assert (await merchant.get(f"/{lost['id']}")).json()["state"] == "unknown"


async def test_an_event_about_nothing_we_know_is_taken_and_ignored(
    merchant: Merchant, provider: ProviderCalls
) -> None:
    paid = (await merchant.pay()).json()

    assert (await provider.send(operation(paid, reference="order-1"))).status_code == 200


async def test_an_event_that_was_not_signed_with_our_secret_is_refused(
    merchant: Merchant, provider: ProviderCalls, clock: ManualClock
) -> None:
    lost = (await merchant.pay("tok_reply_lost")).json()
    stranger = ProviderCalls(merchant.http, Secret("whsec_" + "A" * 32), clock)

    refused = await stranger.send(operation(lost))

    assert (refused.status_code, refused.json()["code"]) == (401, "webhook_signature_mismatch")
    assert (await merchant.get(f"/{lost['id']}")).json()["state"] == "unknown"


async def test_an_old_or_unsigned_event_is_refused(provider: ProviderCalls, clock: ManualClock) -> None:
    headers = provider.signer.sign("evt_1", clock.now(), b"{}")
    clock.advance(301)

    assert (await provider.deliver(b"{}", headers)).status_code == 400
    assert (await provider.deliver(b"{}", {})).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": 1}', b'{"data": {"reference": 1e400}}', b"\xff"])
async def test_a_signed_event_that_cannot_be_read_is_refused(
    provider: ProviderCalls, clock: ManualClock, body: bytes
) -> None:
    refused = await provider.deliver(body, provider.signer.sign("evt_1", clock.now(), body))

    assert refused.status_code == 422


async def test_an_event_that_is_too_large_is_refused_as_described(provider: ProviderCalls) -> None:
    refused = await provider.deliver(b" " * (1024 * 1024 + 1), {})

    assert (refused.status_code, refused.json()["code"]) == (413, "content_too_large")


@pytest.mark.parametrize(
    "words",
    [
        {"status": "declined", "decline_code": "a\x00b"},  # no database text can hold it
        {"status": "declined", "decline_code": "x" * 256},
        {"authorisation_id": "auth_1/../../v1"},
        {"reference": "a\nb"},
        {"redirect_url": "javascript:alert(1)"},
    ],
)
async def test_words_that_could_do_harm_are_no_event(
    merchant: Merchant, provider: ProviderCalls, words: dict[str, Any]
) -> None:
    waiting = (await merchant.pay("tok_3ds_required")).json()

    refused = await provider.send(operation(waiting, **words))

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert (await merchant.get(f"/{waiting['id']}")).json() == waiting
