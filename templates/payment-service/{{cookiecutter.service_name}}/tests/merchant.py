"""What a merchant does over HTTP."""

from typing import Any

import httpx2


class Merchant:
    """What a merchant does: each operation under a key of its own, unless one is given."""

    def __init__(self, http: httpx2.AsyncClient, merchant_id: str = "acme") -> None:
        self.http = http
        self.merchant_id = merchant_id
        self.keys = 0

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx2.Response:
        self.keys += 1
        headers = {"Merchant-Id": self.merchant_id, "Idempotency-Key": key or f"key-{self.keys}"}
        return await self.http.post(f"/v1/payments{path}", json=body or {}, headers=headers)

    async def pay(self, token: str = "tok_approved", *, key: str | None = None) -> httpx2.Response:
        body = {
            "amount": {"minor_units": 1250, "currency": "EUR"},
            "payment_token": token,
            "merchant_reference": "order-1",
        }
        return await self.post("", body, key=key)

    async def get(self, path: str = "") -> httpx2.Response:
        return await self.http.get(f"/v1/payments{path}", headers={"Merchant-Id": self.merchant_id})
