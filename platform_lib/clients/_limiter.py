"""How many calls may be under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from platform_lib.errors import NotSent


class Limiter:
    """Turns for *most* calls to *peer* at once."""

    def __init__(self, peer: str, most: int) -> None:
        self._peer = peer
        self._turns = asyncio.Semaphore(most)

    @asynccontextmanager
    async def turn(self, seconds: float) -> AsyncIterator[None]:
        """Wait at most *seconds* for a turn and have it inside; none in time is `NotSent`."""
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise NotSent(self._peer, "too_many_calls") from None
        try:
            yield
        finally:
            self._turns.release()
