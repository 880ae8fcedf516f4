"""Identity is passed in: `RandomIds` in production, `SequentialIds` in tests."""

from __future__ import annotations

import itertools
import secrets
from typing import Protocol
from uuid import UUID

from platform_lib.clock import Clock, SystemClock

__all__ = ["Ids", "RandomIds", "SequentialIds"]

_RANDOM_A_BITS = 12
_RANDOM_B_BITS = 62


class Ids(Protocol):
    """What code needs of identity."""

    def new(self) -> UUID:
        """Return an id that was never returned before."""
        ...


class RandomIds:
    """UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Ids made later sort later (to the millisecond), so an index on them grows at its end.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def new(self) -> UUID:
        """Return a new UUIDv7."""
        milliseconds = int(self._clock.now().timestamp() * 1000) & ((1 << 48) - 1)
        version_and_a = 0x7000 | secrets.randbits(_RANDOM_A_BITS)
        variant_and_b = (0b10 << _RANDOM_B_BITS) | secrets.randbits(_RANDOM_B_BITS)
        return UUID(int=(milliseconds << 80) | (version_and_a << 64) | variant_and_b)


class SequentialIds:
    """Ids that count from one, in the form of a UUIDv7, so that a whole trace can be compared.

    Examples:
        >>> str(SequentialIds().new())
        '00000000-0000-7000-8000-000000000001'
    """

    def __init__(self, first: int = 1) -> None:
        self._numbers = itertools.count(first)

    def new(self) -> UUID:
        """Return the next id."""
        return UUID(int=(0x7 << 76) | (0b10 << _RANDOM_B_BITS) | next(self._numbers))
