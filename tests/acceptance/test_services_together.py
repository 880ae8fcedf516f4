"""The three kinds in one story: a payment service pays through a connector, and a worker settles the day."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from platform_lib.migrations import upgrade
from platform_lib.security import new_key
from platform_lib.testing import Databases, StartService

examples = Path(__file__).parents[2] / "examples"
_provider_key, _webhook_secret = "sk_test_connector", "whsec_cGF5cGF0aC10ZXN0LXdlYmhvb2stc2VjcmV0LTAx"

_merchant_key = new_key("acme", mode="test")
_known = {"Authorization": f"Bearer {_merchant_key.key}"}


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("payments", "card-connector", "settlements"):
        monkeypatch.syspath_prepend(examples / name / "src")
    monkeypatch.syspath_prepend(examples / "card-connector" / "tests")


@pytest.fixture
def databases_of(databases: Databases) -> Callable[[str], str]:
    return lambda package: databases.create(_migrations[package])


_migrations: dict[str, Callable[[str], object]] = {
    package: lambda url, package=package: upgrade(url, f"{package}.migrations")  # type: ignore[misc]
    for package in ("payments", "settlements")
}


@pytest.fixture
async def processor() -> AsyncIterator[Any]:
    """The card processor as the connector's own tests play it."""
    async with importlib.import_module("processor").Processor() as processor:
        yield processor


async def _reaches(ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    async with asyncio.timeout(30):
        while (found := await ask()) != wanted:
            await asyncio.sleep(0.05)
            assert found != wanted


class _Merchant:
    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.keys = 0

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        self.keys += 1
        headers = {**_known, "Idempotency-Key": f"key-{self.keys}"}
        answer = await self.http.post(f"/v1/payments{path}", json=body or {}, headers=headers)
        assert answer.status_code < 300, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def pay(self, token: str) -> dict[str, Any]:
        return await self.post(
            "",
            {
                "amount": {"minor_units": 1250, "currency": "EUR"},
                "payment_token": token,
                "merchant_reference": "order-1",
            },
        )

    async def state(self, payment: dict[str, Any]) -> str:
        answer = await self.http.get(f"/v1/payments/{payment['id']}", headers=_known)
        return str(answer.json()["state"])


@pytest.mark.timeout(240)
async def test_money_goes_through_all_three(
    service_process: StartService,
    databases_of: Callable[[str], str],
    broker_url: str,
    processor: Any,
    free_tcp_port_factory: Callable[[], int],
) -> None:
    """Paid, confirmed by the customer, lost and found, captured, refunded; and the sums agree at the end."""
    payments_port = free_tcp_port_factory()
    connector = await service_process(
        "card_connector",
        environment={
            "CARD_CONNECTOR_API_KEY": _provider_key,
            "CARD_CONNECTOR_PROCESSOR_URL": processor.url,
            "CARD_CONNECTOR_PROCESSOR_API_KEY": "kestrel_test_key",
            "CARD_CONNECTOR_PROCESSOR_WEBHOOK_SECRET": "kestrel_test_webhook_secret",
            "CARD_CONNECTOR_RECEIVER_URL": f"http://127.0.0.1:{payments_port}",
            "CARD_CONNECTOR_RECEIVER_WEBHOOK_SECRET": _webhook_secret,
        },
    )
    payments = await service_process(
        "payments",
        environment={
            "PAYMENTS_HTTP_PORT": str(payments_port),
            "PAYMENTS_DATABASE_URL": databases_of("payments"),
            "PAYMENTS_EVENTS_URL": broker_url,
            "PAYMENTS_MERCHANTS_KEYS": str(_merchant_key.stored),
            "PAYMENTS_PROVIDER_URL": connector.url,
            "PAYMENTS_PROVIDER_API_KEY": _provider_key,
            "PAYMENTS_PROVIDER_WEBHOOK_SECRET": _webhook_secret,
            "PAYMENTS_PROVIDER_TIMEOUT": "4s",
            "PAYMENTS_SWEEPER_INTERVAL": "50ms",
            "PAYMENTS_SWEEPER_LEASE": "5s",
        },
    )
    settled_in = databases_of("settlements")
    await service_process(
        "settlements",
        environment={
            "SETTLEMENTS_DATABASE_URL": settled_in,
            "SETTLEMENTS_PAYMENTS_URL": broker_url,
            "SETTLEMENTS_EVENTS_URL": broker_url,
        },
    )
    processor.webhook_url = f"{connector.url}/v1/processor-events"

    async with httpx2.AsyncClient(base_url=payments.url, timeout=20) as http:
        merchant = _Merchant(http)
        paid = await merchant.pay("tok_approved")
        assert paid["state"] == "authorised"
        declined = await merchant.pay("tok_insufficient_funds")
        assert (declined["state"], declined["decline_code"]) == ("declined", "insufficient_funds")

        waiting = await merchant.pay("tok_3ds_required")
        assert waiting["state"] == "requires_action"
        await http.get(waiting["next_action"]["redirect_url"])
        await _reaches(lambda: merchant.state(waiting), "authorised")

        lost = await merchant.pay("tok_reply_lost")
        assert lost["state"] == "unknown"
        await _reaches(lambda: merchant.state(lost), "authorised")

        for payment in (paid, waiting, lost):
            captured = await merchant.post(f"/{payment['id']}/capture")
            assert captured["state"] == "captured"
        refund = {"amount": {"minor_units": 250, "currency": "EUR"}}
        refunded = await merchant.post(f"/{paid['id']}/refunds", refund)
        assert refunded["refunded"] == {"minor_units": 250, "currency": "EUR"}

    # What the processor holds, and what the worker owes the merchant, is what was captured less the refund.
    ledger = processor.ledger.authorisations()
    held = sum(one.captured.minor_units - one.refunded.minor_units for one in ledger)
    assert held == 3 * 1250 - 250
    connection = await asyncpg.connect(settled_in)
    try:
        await _reaches(lambda: connection.fetchval("SELECT sum(movements) FROM settlement"), 4)
        assert await connection.fetchval("SELECT sum(total) FROM settlement") == held
    finally:
        await connection.close()


def test_the_worker_reads_what_the_payment_service_writes() -> None:
    """Every event of a payment, as the payment service makes it."""
    written = importlib.import_module("payments.domain.events")
    read = importlib.import_module("settlements.adapters.payment_events")

    assert set(read.TYPES) <= set(written.TYPES.values())
    assert {direction.value for direction in read.TYPES.values()} == {"capture", "refund"}
