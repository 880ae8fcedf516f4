"""Talk to an ASGI application in this process, its lifespan included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Start *app* and stop it at the end, as a server does (ASGI specification, lifespan protocol).

    Start and stop run in one task, whichever tasks enter and leave here. An application without a lifespan is
    fine.

    Raises:
        RuntimeError: the application said that start-up or shutdown failed; has its message.
    """
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    task: asyncio.Task[None] = asyncio.create_task(
        app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, to_app.get, from_app.put),  # type: ignore[arg-type]
        name="lifespan",
    )
    try:
        supported = await _exchange("startup", task, to_app, from_app)
        try:
            yield
        finally:
            if supported:
                await _exchange("shutdown", task, to_app, from_app)
                await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _exchange(
    phase: str, task: asyncio.Task[None], to_app: asyncio.Queue[Message], from_app: asyncio.Queue[Message]
) -> bool:
    """Send one lifespan event and return whether the application answered; it need not know the protocol."""
    await to_app.put({"type": f"lifespan.{phase}"})
    answer = asyncio.create_task(from_app.get())
    await asyncio.wait([answer, task], return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        error = task.exception()
        if error is None or phase == "startup":
            return False
        raise error
    message = answer.result()
    if message["type"] == f"lifespan.{phase}.failed":
        raise RuntimeError(f"application: {phase} failed: {message.get('message') or 'no message given'}")
    return True


@asynccontextmanager
async def in_process_client(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of *app* without a socket between; relative URLs will do."""
    import httpx2  # noqa: PLC0415  # the plugin loads in every test run, also those without HTTP

    async with (
        lifespan(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://service.test") as client,
    ):
        yield client
