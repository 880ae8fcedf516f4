"""The application's own lifespan, driven from outside as a server would."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from platform_lib.errors import PlatformError

if TYPE_CHECKING:
    from platform_lib.service._asgi import ASGIApp, Message, Scope


class LifespanFailed(PlatformError):
    """The application said that its own start or stop failed."""


class InnerLifespan:
    """Drives the lifespan of *app*; an application that knows none is left alone.

    It may take *start* seconds to start and *stop* to stop, and is not waited for any longer.
    """

    def __init__(self, app: ASGIApp, scope: Scope, *, start: float, stop: float) -> None:
        self._app = app
        self._scope = scope
        self._start = start
        self._stop = stop
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Send `lifespan.startup` and wait for the answer; `LifespanFailed` if that is a failure."""
        self._task = asyncio.create_task(self._run(), name="application lifespan")
        await self._ask("lifespan.startup", self._start)

    async def shutdown(self) -> None:
        """Send `lifespan.shutdown` and wait for the answer; `LifespanFailed` if that is a failure."""
        if self._task is not None and not self._task.done():
            await self._ask("lifespan.shutdown", self._stop)

    def abandon(self) -> None:
        """Cancel what is left of the application's lifespan."""
        if self._task is not None:
            self._task.cancel()

    async def _ask(self, event: str, seconds: float) -> None:
        assert self._task is not None  # noqa: S101  # both callers have just made sure
        await self._events.put({"type": event})
        answer = asyncio.create_task(self._answers.get())
        await asyncio.wait({answer, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            if not self._task.done():
                raise LifespanFailed(f"the application's {event} did not end within {seconds:g} s")
            return  # the application ended without a word: it knows no lifespan (ASGI lifespan spec, 2.0)
        message = answer.result()
        if message["type"].endswith(".failed"):
            raise LifespanFailed(
                f"the application's {event} failed: {message.get('message') or 'no reason given'}"
            )

    async def _run(self) -> None:
        # A failure is told as a message; an error without one means that the application knows no lifespan.
        with contextlib.suppress(Exception):
            await self._app(self._scope, self._events.get, self._answers.put)
