"""What a merchant does over HTTP."""

from typing import Any

import httpx2
from platform_lib.security import new_key

KEYS = {name: new_key(name, mode="test") for name in ("acme", "other")}
ENTRIES = ",".join(str(key.stored) for key in KEYS.values())


def authenticated(merchant_id: str = "acme") -> dict[str, str]:
    """Return the header by which the service knows the merchant."""
    return {"Authorization": f"Bearer {KEYS[merchant_id].key}"}


class Merchant:
    """What a merchant does: each operation under a key of its own, unless one is given."""

    def __init__(self, http: httpx2.AsyncClient, merchant_id: str = "acme") -> None:
        self.http = http
        self.headers = authenticated(merchant_id)
        self.keys = 0

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx2.Response:
        self.keys += 1
        headers = {**self.headers, "Idempotency-Key": key or f"key-{self.keys}"}
        return await self.http.post(f"/v1/payments{path}", json=body or {}, headers=headers)

    async def pay(self, token: str = "tok_approved", *, key: str | None = None) -> httpx2.Response:
        body = {
            "amount": {"minor_units": 1250, "currency": "EUR"},
            "payment_token": token,
            "merchant_reference": "order-1",
        }
        return await self.post("", body, key=key)

    async def get(self, path: str = "") -> httpx2.Response:
        return await self.http.get(f"/v1/payments{path}", headers=self.headers)
