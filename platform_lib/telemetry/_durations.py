"""How long requests took, of one attribute set: a histogram that takes a measurement in one step.

Finding the bucket of each as it comes costs more than counting many that are sorted, so they wait for it.
Source: opentelemetry/proto/metrics/v1/metrics.proto, `HistogramDataPoint`.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping
from struct import Struct
from threading import Lock

from platform_lib.telemetry._instruments import DURATION_BOUNDS
from platform_lib.telemetry._wire import attributes, double, fixed64, message

_SECOND = 1_000_000_000  # nanoseconds
_FOREVER = 1 << 63
_BOUNDS = tuple(round(bound * _SECOND) for bound in DURATION_BOUNDS)
_counts = Struct(f"<{len(_BOUNDS) + 1}Q").pack
_bounds = message(7, Struct(f"<{len(_BOUNDS)}d").pack(*DURATION_BOUNDS))

# The event loop and the thread that collects may both count. A child that is forked meanwhile gets it free.
_counting = Lock()
os.register_at_fork(
    before=_counting.acquire, after_in_parent=_counting.release, after_in_child=_counting.release
)


class Durations:
    """A histogram of one attribute set, added up in whole nanoseconds.

    Attributes:
        waiting: nanoseconds of each request that is not counted yet; whoever measures appends.
    """

    __slots__ = ("_attributes", "_buckets", "_maximum", "_minimum", "_told", "_total", "waiting")

    def __init__(self, items: Mapping[str, object]) -> None:
        self.waiting: list[int] = []
        self._attributes = attributes(9, items.items())
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self._total = 0
        self._minimum = _FOREVER
        self._maximum = 0
        self._told: tuple[list[int], int] = [0] * len(self._buckets), 0

    def count(self) -> list[int]:
        """Count what waits; return how many there are in each bucket, an upper bound being in its bucket."""
        return self._counted()[0]

    def count_if_idle(self) -> None:
        """Count what waits, unless somebody counts.

        That may be this very thread: collecting garbage, it may end a request that was abandoned.
        """
        if _counting.acquire(blocking=False):
            try:
                self._count()
            finally:
                _counting.release()

    def _counted(self) -> tuple[list[int], int, int, int]:
        """Count what waits; return the buckets, the sum, the smallest and the largest, all of one moment."""
        with _counting:
            self._count()
            return list(self._buckets), self._total, self._minimum, self._maximum

    def _count(self) -> None:
        some = len(self.waiting)
        if not some:
            return
        new = sorted(self.waiting[:some])
        del self.waiting[:some]  # what was appended meanwhile stands behind
        before = 0
        for bucket, bound in enumerate(_BOUNDS):
            below = bisect_right(new, bound, before)
            self._buckets[bucket] += below - before
            before = below
        self._buckets[-1] += some - before
        self._minimum = min(self._minimum, new[0])
        self._maximum = max(self._maximum, new[-1])
        self._total += sum(new)

    def data_point(self, start: int, now: int) -> bytes:
        """Return a `HistogramDataPoint` over *start* to *now*, Unix nanoseconds; empty if there is none."""
        counts, total, minimum, maximum = self._counted()
        if not any(counts):
            return b""
        return (
            self._point(start, now, counts, total)
            + double(11, minimum / _SECOND)
            + double(12, maximum / _SECOND)
        )

    def delta_point(self, start: int, now: int) -> bytes:
        """Return what came since this was called last; empty if nothing did.

        The smallest and the largest are known for all time only and are left out.
        """
        counts, total, _, _ = self._counted()
        (before, total_before), self._told = self._told, (counts, total)
        since = [count - told for count, told in zip(counts, before, strict=True)]
        return self._point(start, now, since, total - total_before) if any(since) else b""

    def _point(self, start: int, now: int, counts: list[int], total: int) -> bytes:
        return (
            fixed64(2, start)
            + fixed64(3, now)
            + fixed64(4, sum(counts))
            + double(5, total / _SECOND)
            + message(6, _counts(*counts))
            + _bounds
            + self._attributes
        )
