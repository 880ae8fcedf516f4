"""What a pool of connections says about itself when metrics are collected.

Source: OpenTelemetry semantic conventions 1.44, database client metrics, connection pools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

from opentelemetry.metrics import Observation

from platform_lib.telemetry._catalogue import (
    pool_connections,
    pool_idle_min,
    pool_max,
    pool_pending,
    pool_timeouts,
    pool_wait_time,
)


class Pool(Protocol):
    """The sizes of a pool, in connections."""

    def get_size(self) -> int:
        """Return how many are open."""
        ...

    def get_idle_size(self) -> int:
        """Return how many of them nobody uses."""
        ...

    def get_max_size(self) -> int:
        """Return how many there can be."""
        ...

    def get_min_size(self) -> int:
        """Return how many are kept."""
        ...


class PoolMetrics:
    """Counts who waits for a connection of the pool *name*; *pool* gives it while it is open."""

    def __init__(self, name: str, pool: Callable[[], Pool | None]) -> None:
        self._attributes = {"db.client.connection.pool.name": name}
        self._idle = {**self._attributes, "db.client.connection.state": "idle"}
        self._used = {**self._attributes, "db.client.connection.state": "used"}
        self._pool = pool
        self._pending = 0
        self._timeouts = 0
        pool_connections.watch(self._counted)
        pool_max.watch(self._most)
        pool_idle_min.watch(self._least)
        pool_pending.watch(self._waiting)
        pool_timeouts.watch(self._late)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Take note of a wait for a connection, which lasts as long as what is inside."""
        self._pending += 1
        began = perf_counter()
        try:
            yield
        except TimeoutError:
            self._timeouts += 1
            raise
        finally:
            self._pending -= 1
        pool_wait_time.record(perf_counter() - began, self._attributes)

    def _counted(self) -> Iterator[Observation]:
        pool = self._pool()
        if pool is not None:
            idle = pool.get_idle_size()
            yield Observation(idle, self._idle)
            yield Observation(pool.get_size() - idle, self._used)

    def _most(self) -> Iterator[Observation]:
        pool = self._pool()
        if pool is not None:
            yield Observation(pool.get_max_size(), self._attributes)

    def _least(self) -> Iterator[Observation]:
        pool = self._pool()
        if pool is not None:
            yield Observation(pool.get_min_size(), self._attributes)

    def _waiting(self) -> Iterator[Observation]:
        yield Observation(self._pending, self._attributes)

    def _late(self) -> Iterator[Observation]:
        yield Observation(self._timeouts, self._attributes)
