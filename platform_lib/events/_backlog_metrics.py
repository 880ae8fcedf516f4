"""How far the relay is behind, as metrics: measured now and then, told whenever somebody asks."""

from __future__ import annotations

from opentelemetry.metrics import Observation

from platform_lib.clients import Connection
from platform_lib.clock import Clock
from platform_lib.events._queries import queries
from platform_lib.telemetry._catalogue import outbox_lag, outbox_parked, outbox_waiting

_EVERY_SECONDS = 15.0


class BacklogMetrics:
    """The last measurement of one outbox; before the first one there is nothing to tell."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_at = clock.monotonic()
        self._waiting: list[Observation] = []
        self._parked: list[Observation] = []
        self._lag: list[Observation] = []
        outbox_waiting.watch(self._read_waiting)
        outbox_parked.watch(self._read_parked)
        outbox_lag.watch(self._read_lag)

    @property
    def due(self) -> bool:
        """Whether it is time to measure again."""
        return self._clock.monotonic() >= self._due_at

    async def measure(self, connection: Connection) -> None:
        """Measure; however long the backlog is, no more than 10 000 rows of an index are looked at."""
        self._due_at = self._clock.monotonic() + _EVERY_SECONDS
        row = await connection.fetch_one(queries.sample_outbox)
        if row is None:  # three scalars always make a row
            return
        oldest = row["oldest"]
        lag = 0.0 if oldest is None else max(0.0, (self._clock.now() - oldest).total_seconds())
        self._waiting = [Observation(row["waiting"])]
        self._parked = [Observation(row["parked"])]
        self._lag = [Observation(lag)]

    def _read_waiting(self) -> list[Observation]:
        return self._waiting

    def _read_parked(self) -> list[Observation]:
        return self._parked

    def _read_lag(self) -> list[Observation]:
        return self._lag
