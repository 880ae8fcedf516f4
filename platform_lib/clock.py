"""Time is passed in: `SystemClock` in production; `ManualClock`, `TickingClock` in tests and simulators."""

from __future__ import annotations

import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["Clock", "ManualClock", "SystemClock", "TickingClock"]


class Clock(Protocol):
    """What code needs of time."""

    def now(self) -> datetime:
        """Return the wall-clock time, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds* of this clock."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the wall-clock time, UTC-aware."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        import asyncio  # noqa: PLC0415  # who awaits has it; commands that read the time need not load it

        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to.

    Errors: ValueError for a start without a time zone.

    Examples:
        >>> clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        >>> clock.advance(90)
        >>> clock.now().isoformat()
        '2026-01-01T00:01:30+00:00'
    """

    def __init__(self, start: datetime | None = None) -> None:
        start = start or datetime(2026, 1, 1, tzinfo=UTC)
        if start.tzinfo is None:
            msg = f"ManualClock: the start {start.isoformat()} has no time zone; pass a UTC-aware datetime"
            raise ValueError(msg)
        self._start = start.astimezone(UTC)
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the start plus what was advanced."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced by *seconds*; zero or less only yields to the loop."""
        import asyncio  # noqa: PLC0415  # as above

        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Move the clock on and wake, in order, everyone whose time has come.

        Errors: ValueError for negative *seconds*.
        """
        if seconds < 0:
            msg = f"ManualClock: cannot advance by {seconds} s; time does not go back"
            raise ValueError(msg)
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)


class TickingClock(ManualClock):
    """A manual clock that moves on by *step* seconds after each reading, so that no two are equal.

    What reads the time equally often gets equal times, from run to run: a trace with durations can be
    compared whole. Sleepers wake as readings move the clock past their time.
    Errors: ValueError for a *step* that is not above zero, and as for `ManualClock`.

    Examples:
        >>> clock = TickingClock(step=0.5)
        >>> clock.monotonic(), clock.monotonic(), clock.now().isoformat()
        (0.0, 0.5, '2026-01-01T00:00:01+00:00')
    """

    def __init__(self, start: datetime | None = None, *, step: float = 0.001) -> None:
        if step <= 0:
            msg = f"TickingClock: cannot tick by {step} s; give a step above zero"
            raise ValueError(msg)
        super().__init__(start)
        self._step = step

    def now(self) -> datetime:
        """Return the time and move on by one step."""
        reading = super().now()
        self.advance(self._step)
        return reading

    def monotonic(self) -> float:
        """Return the seconds so far and move on by one step."""
        reading = super().monotonic()
        self.advance(self._step)
        return reading
