"""Who takes part in the sandbox's tests: a caller, a receiver of webhooks, both on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from platform_lib import ManualClock
from platform_lib.config import Secret
from platform_lib.sandbox import Sandbox, SandboxSettings
from platform_lib.sandbox.serving import Listener

api_key = "sk_test_of_these_tests"
webhook_secret = Secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")


@dataclass
class Caller:
    """A client of the sandbox that says what it wants in one line."""

    http: httpx2.AsyncClient
    webhooks: list[dict[str, Any]] = field(default_factory=list)

    async def authorise(
        self, token: str, reference: str = "auth", minor_units: int = 1000
    ) -> httpx2.Response:
        body = {"reference": reference, "amount": euros(minor_units), "token": token}
        return await self.http.post("/v1/authorisations", json=body)

    async def authorised(self, token: str, reference: str = "auth") -> str:
        reply = await self.authorise(token, reference)
        authorisation_id: str = reply.json()["authorisation_id"]
        return authorisation_id

    async def act(self, path: str, reference: str, minor_units: int | None = None) -> httpx2.Response:
        body: dict[str, Any] = {"reference": reference}
        if minor_units is not None:
            body["amount"] = euros(minor_units)
        return await self.http.post(f"/v1/authorisations/{path}", json=body)

    async def status_of(self, reference: str) -> str:
        found = (await self.http.get("/v1/operations", params={"reference": reference})).json()["operations"]
        return str(found[0]["status"]) if found else "absent"


def euros(minor_units: int) -> dict[str, Any]:
    return {"minor_units": minor_units, "currency": "EUR"}


def settings(**changes: Any) -> SandboxSettings:
    return SandboxSettings(api_key=Secret(api_key), webhook_secret=webhook_secret, **changes)


@asynccontextmanager
async def calling(sandbox: Sandbox) -> AsyncIterator[Caller]:
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx2.AsyncClient(base_url=sandbox.url, headers=headers, trust_env=False) as http:
        yield Caller(http)


@dataclass
class Receiver:
    """Takes webhooks on a real socket and answers what it is told to; 204 after that."""

    url: str = ""
    answers: list[Response] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    before_answering: Callable[[], Awaitable[None]] | None = None

    async def take(self, request: Request) -> Response:
        self.received.append((dict(request.headers), await request.body()))
        if self.before_answering is not None:
            await self.before_answering()
        return self.answers.pop(0) if self.answers else Response(status_code=204)

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.received]


@asynccontextmanager
async def receiving(sandbox: Sandbox) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = Listener(Starlette(routes=[Route("/events", receiver.take, methods=["POST"])]))
    port = await listener.start("127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{port}/events"
    sandbox.send_webhooks_to(receiver.url)
    try:
        yield receiver
    finally:
        await listener.stop()


async def until(happened: Callable[[], object]) -> None:
    """Give the loop turns until *happened* is true; the test's own time limit ends a wait in vain."""
    while not happened():  # noqa: ASYNC110  # what is awaited has no event: a sleeper on the manual clock
        await asyncio.sleep(0)


def sleepers(sandbox: Sandbox) -> int:
    """Return how many wait for the sandbox's manual clock."""
    assert isinstance(sandbox.clock, ManualClock)
    return len(sandbox.clock._sleepers)
