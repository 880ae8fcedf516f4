"""How long the work at hand may still take, handed on from caller to peer.

Between services it travels as `Deadline-Budget: <milliseconds left>`, the name and unit that baseplate uses:
a span of time rather than a point in it, as in gRPC's `grpc-timeout`, so that no two clocks need to agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from platform_lib.clock import Clock

header = "Deadline-Budget"
_budget = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic time of *clock*; it keeps its clock, so that two are never mixed up."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """Return the deadline *seconds* from now."""
        return cls(clock, clock.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left, negative once it has passed."""
        return self.at - self.clock.monotonic()


_current: ContextVar[Deadline | None] = ContextVar("paypath_deadline", default=None)


def current_deadline() -> Deadline | None:
    """Return the deadline that whoever waits for this work has set, if any did."""
    return _current.get()


@contextmanager
def keep_to(deadline: Deadline | None) -> Iterator[None]:
    """Give the code inside a deadline; None lifts the one there is, as nobody waits for what comes later."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


def parse_budget(text: str) -> float | None:
    """Read the header's value as seconds; anything but up to nine digits is nothing."""
    return int(text) / 1000 if _budget.fullmatch(text) else None


def format_budget(seconds: float) -> str:
    """Write *seconds* as the header's value, rounded down: the peer must not outlast its caller."""
    return str(max(0, int(seconds * 1000)))
