"""Whether the event loop turns: a beat that comes late shows what blocked it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

_beats_per_stall = 4
_logger = logging.getLogger("platform_lib.health")


class Heartbeat:
    """Beats on the running loop, and remembers a stall for as long as a stall is.

    The time is the loop's own, not that of a clock passed in: what is measured is this very loop.
    """

    def __init__(self, stall_seconds: float) -> None:
        self._stall = stall_seconds
        self._pause = stall_seconds / _beats_per_stall
        self._time: Callable[[], float] | None = None
        self._due = 0.0
        self._stalled_until = 0.0
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Beat from now on."""
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self._expect(loop.time())

    def stop(self) -> None:
        """Beat no more; a loop that is not watched has no stalls."""
        self._time = None
        if self._next is not None:
            self._next.cancel()

    def stalled(self) -> bool:
        """Whether the loop is blocked, or was until a moment ago; always false before `start`."""
        if self._time is None:
            return False
        now = self._time()
        return now < self._stalled_until or now - self._due >= self._stall

    def beat(self) -> None:
        """Take note of how late this beat is."""
        if self._time is None:
            return
        now = self._time()
        late = now - self._due
        if late >= self._stall:
            self._stalled_until = now + self._stall
            _logger.error("the event loop was blocked for %.1f s; liveness fails for %g s", late, self._stall)
        self._expect(now)

    def _expect(self, now: float) -> None:
        self._due = now + self._pause
        self._next = asyncio.get_running_loop().call_at(self._due, self.beat)
