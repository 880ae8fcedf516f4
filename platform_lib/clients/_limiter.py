"""How many calls may be under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from platform_lib.errors import NotSent
from platform_lib.telemetry._catalogue import client_limiter_wait, client_rejections


class Limiter:
    """Turns for *most* calls to *peer* at once."""

    def __init__(self, peer: str, most: int) -> None:
        self._peer = peer
        self._turns = asyncio.Semaphore(most)

    @asynccontextmanager
    async def turn(self, seconds: float) -> AsyncIterator[None]:
        """Wait at most *seconds* for a turn and have it inside; none in time is `NotSent`."""
        began = perf_counter() if self._turns.locked() else None
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError:
            client_rejections.add(1, {"peer": self._peer, "reason": "too_many_calls"})
            raise NotSent(self._peer, "too_many_calls") from None
        if began is not None:
            client_limiter_wait.record(perf_counter() - began, {"peer": self._peer})
        try:
            yield
        finally:
            self._turns.release()
