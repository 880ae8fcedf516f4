"""Card numbers and secrets are sent wherever something can be sent, and come out nowhere."""

import json
from typing import Any

import httpx2
import pytest
from merchant import Merchant, authenticated
from platform_lib import ManualClock
from platform_lib.config import load
from platform_lib.payments import WebhookSigner
from platform_lib.testing import Canaries, NoSecret, dump_database

from {{ cookiecutter.package }}.settings import PaymentsSettings

HEADERS = (
    "Merchant-Id",
    "Idempotency-Key",
    "User-Agent",
    "Authorization",
    "Cookie",
    "Host",
    "Referer",
    "X-Request-Id",
    "X-Forwarded-For",
    "Content-Type",
    "Accept",
    "traceparent",
    "tracestate",
    "baggage",
    "webhook-id",
)
NEW_PAYMENT: dict[str, Any] = {
    "amount": {"minor_units": 1250, "currency": "EUR"},
    "payment_token": "tok_approved",
    "merchant_reference": "order-1",
}


@pytest.fixture
def secrets(canaries: Canaries) -> list[str]:
    """What is sent: all that can be recognised, cards as people print them and inside of something longer."""
    groups = [canaries.card[start : start + 4] for start in range(0, 16, 4)]
    printed = ["-".join(groups), "_".join(groups), f"order-{canaries.card}", f"tok_{canaries.card}"]
    others = [canaries.iban, canaries.authorization, canaries.dsn, canaries.webhook_secret, canaries.api_key]
    return [*canaries.cards, *printed, *others]


async def test_whatever_field_a_secret_is_sent_in(
    client: httpx2.AsyncClient, secrets: list[str], assert_no_secret: NoSecret
) -> None:
    merchant = Merchant(client)
    for secret in secrets:
        for member in ("amount", "payment_token", "merchant_reference", "unknown", secret):
            refused = await merchant.post("", {**NEW_PAYMENT, member: secret})
            assert refused.status_code == 422
        for value in (secret, int(secret) if secret.isdecimal() else secret):
            for member in ("minor_units", "currency"):
                await merchant.post("", {**NEW_PAYMENT, "amount": {**NEW_PAYMENT["amount"], member: value}})
        await merchant.post(f"/{secret}/capture")
        await merchant.get(f"/{secret}")
        await merchant.get(f"?after={secret}&limit={secret}&{secret}={secret}")

    await assert_no_secret()


@pytest.mark.parametrize("name", HEADERS)
async def test_whatever_header_a_secret_is_sent_in(
    client: httpx2.AsyncClient, secrets: list[str], assert_no_secret: NoSecret, name: str
) -> None:
    for number, secret in enumerate(secrets):
        value = f"seen={secret}" if name in {"Cookie", "tracestate", "baggage"} else secret
        headers = {**authenticated(), "Idempotency-Key": f"key-{number}", name: value}
        paid = await client.post("/v1/payments", json=NEW_PAYMENT, headers=headers)
        assert paid.status_code < 500
        await client.get("/v1/payments", headers=headers)

    await assert_no_secret()


async def test_a_key_that_is_a_card_number_is_refused(client: httpx2.AsyncClient, canaries: Canaries) -> None:
    for name, code in (("Idempotency-Key", "idempotency_key_invalid"), ("Authorization", "unauthenticated")):
        headers = {**authenticated(), "Idempotency-Key": "once", name: canaries.card}

        refused = await client.post("/v1/payments", json=NEW_PAYMENT, headers=headers)

        assert refused.json()["code"] == code
        assert canaries.card not in refused.text


async def test_whatever_the_provider_says(
    client: httpx2.AsyncClient,
    settings: PaymentsSettings,
    clock: ManualClock,
    secrets: list[str],
    assert_no_secret: NoSecret,
) -> None:
    """Its ids and URLs are kept as they are, for it needs them back; all others are words."""
    signer = WebhookSigner(settings.provider.webhook_secret)
    for number, secret in enumerate(secrets):
        for member in ("decline_code", "id", "kind", "status", "unknown"):
            waiting = (await Merchant(client).pay("tok_3ds_required", key=f"{member}-{number}")).json()
            said = {
                "id": "op_1",
                "reference": waiting["attempts"][0]["id"],
                "kind": "authorisation",
                "status": "declined",
                "amount": waiting["amount"],
                "authorisation_id": "auth_1",
                "decline_code": "do_not_honour",
                "redirect_url": None,
                "created_at": "2026-01-01T00:00:00Z",
                member: secret,
            }
            event = f"evt_{waiting['id']}"
            body = json.dumps({"type": "operation.declined", "id": event, "data": said}).encode()
            headers = signer.sign(event, clock.now(), body)
            heard = await client.post("/v1/provider-events", content=body, headers=headers)
            assert heard.status_code < 500

    await assert_no_secret()


async def test_settings_and_the_log_of_what_fails_show_no_secret(
    client: httpx2.AsyncClient, canaries: Canaries, settings: PaymentsSettings, assert_no_secret: NoSecret
) -> None:
    shown = load(
        PaymentsSettings,
        environ={},
        overrides={
            "database.url": canaries.dsn,
            "events.url": f"nats://payments:{canaries.dsn_password}@broker.test:4222",
            "provider.url": settings.provider.url,
            "provider.api_key": canaries.api_key,
            "provider.webhook_secret": canaries.webhook_secret,
        },
    )

    await assert_no_secret(dump=shown)


async def test_the_search_finds_what_is_stored(
    client: httpx2.AsyncClient, canaries: Canaries, database_url: str, assert_no_secret: NoSecret
) -> None:
    """The control: a reference that nothing refused, as an old version may have stored it."""
    canaries.add("reference", "order-4711-of-a-test")
    await client.post(
        "/v1/payments",
        json={**NEW_PAYMENT, "merchant_reference": "order-4711-of-a-test"},
        headers={**authenticated(), "Idempotency-Key": "once"},
    )

    with pytest.raises(AssertionError) as caught:
        await assert_no_secret()

    assert "<reference>" in str(caught.value)
    assert "in responses.1 POST 201, body" in str(caught.value)
    dump = await dump_database(database_url)
    stored = [place for place, text in dump.items() if "order-4711" in str(text)]
    assert stored
    assert all(f"in database.{place}" in str(caught.value) for place in stored)
