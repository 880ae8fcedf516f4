"""What a payment service does over HTTP."""

from typing import Any

import httpx2


class Caller:
    """Asks for operations, each under a reference of its own, unless one is given."""

    def __init__(self, http: httpx2.AsyncClient, api_key: str) -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {api_key}"}
        self.references = 0

    async def authorise(
        self, token: str = "tok_approved", *, reference: str | None = None, **changes: Any
    ) -> httpx2.Response:
        return await self.post("/v1/authorisations", reference=reference, token=token, **changes)

    async def post(
        self, path: str, *, reference: str | None = None, minor_units: int | None = 1250, **members: Any
    ) -> httpx2.Response:
        self.references += 1
        body = {"reference": reference or f"order-{self.references}", **members}
        if minor_units is not None:
            body["amount"] = {"minor_units": minor_units, "currency": "EUR", **members.pop("amount", {})}
        return await self.http.post(path, json=body, headers=self.headers)

    async def look_up(self, reference: str) -> httpx2.Response:
        return await self.http.get(f"/v1/operations/{reference}", headers=self.headers)
