"""Card numbers and secrets are sent wherever something can be sent, and come out nowhere."""

import json

import httpx2
import pytest
from caller import Caller
from platform_lib.testing import Canaries, NoSecret
from processor import Processor


@pytest.fixture
def secrets(canaries: Canaries) -> list[str]:
    others = [canaries.iban, canaries.authorization, canaries.webhook_secret, canaries.api_key]
    return [*canaries.cards, f"tok_{canaries.card}", *others]


async def test_whatever_field_a_secret_is_sent_in(
    client: httpx2.AsyncClient, caller: Caller, secrets: list[str], assert_no_secret: NoSecret
) -> None:
    for secret in secrets:
        for changes in ({"token": secret}, {"reference": secret}, {"unknown": secret}, {"amount": secret}):
            body = {
                "reference": "order-1",
                "amount": {"minor_units": 1, "currency": "EUR"},
                "token": "tok_approved",
            }
            refused = await client.post(
                "/v1/authorisations", json={**body, **changes}, headers=caller.headers
            )
            assert refused.status_code == 422
        await caller.look_up(secret.replace("/", "-").replace("?", "-"))
        await caller.post(f"/v1/authorisations/{secret.replace('/', '-').replace('?', '-')}/captures")
        await client.post("/v1/authorisations", json={}, headers={"Authorization": f"Bearer {secret}"})

    await assert_no_secret()


async def test_whatever_the_processor_says(
    caller: Caller, processor_calls: Processor, secrets: list[str], assert_no_secret: NoSecret
) -> None:
    """Its ids and URLs are kept as they are, for it needs them back; all others are words."""
    opening = (await caller.authorise()).json()
    (operation,) = processor_calls.ledger.operations(opening["reference"])
    for secret in secrets:
        for member in ("responseCode", "state", "type", "value", "currencyCode", "unknown"):
            transaction = {**processor_calls.transaction(operation), "state": "DECLINED", member: secret}
            event = {"eventId": "ev_1", "eventType": "TRANSACTION_UPDATED", "transaction": transaction}
            assert await processor_calls.tell(operation, body=json.dumps(event).encode()) in {200, 422}

    await assert_no_secret()
