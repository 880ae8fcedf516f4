"""What a service takes in: headers, requests at once, and the deadline of a trusted caller."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from platform_lib import ManualClock
from platform_lib._deadline import current_deadline
from platform_lib.service import Message, Receive, Scope, Send, Service
from platform_lib.service._edges import BodyLimit
from platform_lib.testing import CapturedSpans
from tests.unit.service.driving import ShopSettings, answering, client, say_hello

hello = answering(say_hello)


def shop(http: Mapping[str, Any] | None = None, *, trust_inbound: bool = False) -> Service:
    settings = ShopSettings.model_validate(
        {"environment": "test", "http": http or {}, "telemetry": {"trust_inbound": trust_inbound}}
    )
    return Service("shop", settings, clock=ManualClock())


async def test_too_many_headers_are_refused_before_the_application() -> None:
    async with client(shop({"max_headers": 10}).install(hello)) as http:
        few = await http.get("/", headers={f"x-{i}": "" for i in range(5)})
        many = await http.get("/", headers={f"x-{i}": "" for i in range(11)})

    assert few.status_code == 200
    assert (many.status_code, many.json()["code"]) == (431, "headers_too_large")
    assert many.json()["max_headers"] == 10
    assert many.headers["content-type"] == "application/problem+json"


async def test_headers_that_are_too_large_together_are_refused() -> None:
    async with client(shop({"max_header_bytes": 1000}).install(hello)) as http:
        small = await http.get("/", headers={"x": "y" * 500})
        large = await http.get("/", headers={"x": "y" * 500, "z": "y" * 500})

    assert small.status_code == 200
    assert (large.status_code, large.json()["code"]) == (431, "headers_too_large")


async def test_a_request_beyond_what_is_answered_at_once_is_asked_to_come_again(
    spans: CapturedSpans,
) -> None:
    inside: asyncio.Queue[None] = asyncio.Queue()
    go_on = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        inside.put_nowait(None)
        await go_on.wait()
        await say_hello(scope, receive, send)

    async with client(shop({"max_in_flight": 2}).install(answering(wait))) as http:
        taken = [asyncio.create_task(http.get("/")) for _ in range(2)]
        for _ in taken:
            await inside.get()

        refused = await http.get("/")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["trace_id"], "it has a span and a line in the access log"
        for probe in ("/livez", "/readyz", "/startupz"):
            assert (await http.get(probe)).status_code == 200

        go_on.set()
        assert [(await one).status_code for one in taken] == [200, 200]
        assert (await http.get("/")).status_code == 200

    assert len(spans.named("GET")) == 4


@pytest.mark.parametrize(
    ("trusted", "given", "left"),
    [(True, "1500", 1.5), (True, "soon", None), (True, None, None), (False, "1500", None)],
)
async def test_a_trusted_callers_deadline_is_that_of_the_work(
    trusted: bool,  # noqa: FBT001  # a table's column
    given: str | None,
    left: float | None,
) -> None:
    seen: list[float | None] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        deadline = current_deadline()
        seen.append(deadline.remaining() if deadline else None)
        await say_hello(scope, receive, send)

    async with client(shop(trust_inbound=trusted).install(answering(look))) as http:
        await http.get("/", headers={} if given is None else {"Deadline-Budget": given})

    assert seen == [left]
    assert current_deadline() is None


async def test_two_deadlines_are_none() -> None:
    seen: list[object] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(current_deadline())
        await say_hello(scope, receive, send)

    async with client(shop(trust_inbound=True).install(answering(look))) as http:
        await http.get("/", headers=[("Deadline-Budget", "1"), ("Deadline-Budget", "2000")])

    assert seen == [None]


@pytest.mark.parametrize("version", ["2", "3", None])
@pytest.mark.parametrize("headers", [[], [(b"content-length", b"1")]])
async def test_a_body_is_counted_where_it_may_be_longer_than_announced(
    version: str | None, headers: list[tuple[bytes, bytes]]
) -> None:
    """From HTTP/2 on a body ends where its frames end, whatever was announced."""
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    if version is not None:
        scope["http_version"] = version
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 11}

    async def send(message: Message) -> None:
        sent.append(message)

    async def reading(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    await BodyLimit(reading, max_bytes=10)(scope, receive, send)

    assert sent[0]["status"] == 413
