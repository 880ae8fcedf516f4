"""What tests of services need: resources that tell what happens to them, a lifespan driven by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import httpx2

from platform_lib.service import ASGIApp, Message, Receive, Scope, Send, ServiceSettings


class ShopSettings(ServiceSettings, prefix="SHOP"):
    pass


class Told(Exception):
    """What a test tells a part to fail with."""


class Recorder:
    """A resource that writes down what happens to it."""

    def __init__(
        self, name: str, story: list[str], *, fails: str = "", hangs: str = "", error: Exception | None = None
    ) -> None:
        self._name = name
        self._story = story
        self._fails = fails
        self._hangs = hangs
        self._error = error or Told(f"{name} was told to fail")

    async def __aenter__(self) -> Self:
        await self._step("open")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._step("close")

    async def _step(self, step: str) -> None:
        self._story.append(f"{step} {self._name}")
        if step in self._hangs:
            await asyncio.Event().wait()
        if step in self._fails:
            raise self._error


async def settle() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(30):
        await asyncio.sleep(0)


class Lifespan:
    """Drives `lifespan.startup` and `lifespan.shutdown` the way a server does."""

    def __init__(self, app: ASGIApp) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self.task = asyncio.ensure_future(app(scope, self._to_app.get, self._from_app.put))

    async def startup(self) -> Message:
        await self._to_app.put({"type": "lifespan.startup"})
        return await self._from_app.get()

    async def shutdown(self) -> Message:
        await self._to_app.put({"type": "lifespan.shutdown"})
        answer = await self._from_app.get()
        await self.task
        return answer


@asynccontextmanager
async def client(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve *app* in process, its lifespan started."""
    lifespan = Lifespan(app)
    assert (await lifespan.startup())["type"] == "lifespan.startup.complete"
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as http:
        yield http
    assert (await lifespan.shutdown())["type"] == "lifespan.shutdown.complete"


def answering(handle: Callable[[Scope, Receive, Send], object]) -> ASGIApp:
    """Make an ASGI application without a lifespan of a handler for HTTP."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        await handle(scope, receive, send)  # type: ignore[misc]

    return app


async def say_hello(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body and answer with its length."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(size).encode()})
