"""Who sends requests to the payment service: merchants, and a load balancer that looks after them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from tests.integration.life.load import Load, Request

_poll_seconds = 0.1
_unready_polls = 3
_merchant = ("Merchant-Id", "acme")


def payment(number: int) -> Request:
    """Return an authorisation with an idempotency key of its own."""
    body = {
        "amount": {"minor_units": 1250, "currency": "EUR"},
        "payment_token": "tok_approved",
        "merchant_reference": f"order-{number}",
    }
    headers = (_merchant, ("Idempotency-Key", f"key-{number}"), ("Content-Type", "application/json"))
    return Request("POST", "/v1/payments", headers, json.dumps(body).encode())


async def mostly_reads(url: str) -> Callable[[int], Request]:
    """Make one payment; return requests of which one in ten is another and the rest read the first."""
    first = payment(0)
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{url}{first.path}", headers=dict(first.headers), content=first.body)
        assert answer.status_code == httpx2.codes.CREATED, answer.text
    read = Request("GET", f"/v1/payments/{answer.json()['id']}", (_merchant,))
    return lambda number: read if number % 10 else payment(number + 1)


@dataclass
class Balancer:
    """Looks at readiness every 100 ms and sends no more after three looks in a row found it off.

    Attributes:
        not_ready_at: when it first saw that, on the monotonic clock; None if it never did.
    """

    url: str
    load: Load
    not_ready_at: float | None = field(default=None, init=False)

    async def run(self) -> None:
        """Look until the instance is taken out."""
        unready = 0
        async with httpx2.AsyncClient(timeout=5) as http:
            while unready < _unready_polls:
                status = (await http.get(f"{self.url}/readyz")).status_code
                unready = unready + 1 if status == httpx2.codes.SERVICE_UNAVAILABLE else 0
                if unready and self.not_ready_at is None:
                    self.not_ready_at = time.monotonic()
                await asyncio.sleep(_poll_seconds)
        self.load.stop()
