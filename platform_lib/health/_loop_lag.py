"""How late the event loop is: a timer that says so each time it fires."""

from __future__ import annotations

import asyncio

from platform_lib.telemetry._catalogue import loop_lag

_pause_seconds = 0.1


class LoopLag:
    """Measures the running loop ten times a second; the time is the loop's own, as the heartbeat's is."""

    def __init__(self) -> None:
        self._next: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        """Measure from now on."""
        self._expect(asyncio.get_running_loop())

    def stop(self) -> None:
        """Measure no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        loop_lag.record(max(0.0, loop.time() - self._due))
        self._expect(loop)

    def _expect(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + _pause_seconds
        self._next = loop.call_at(self._due, self._measure)
