"""The outbox: an event is stored in the transaction of its change, so neither exists without the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from platform_lib.clients import Connection
from platform_lib.events._queries import queries
from platform_lib.events.event import Event
from platform_lib.redaction import redact_mapping
from platform_lib.telemetry import current_traceparent


@dataclass(frozen=True)
class Backlog:
    """How far the relay is behind.

    Attributes:
        waiting: events not yet published.
        parked: events that the broker refused too often; a person has to look at them.
        oldest: when the oldest waiting event happened; None when nothing waits.
    """

    waiting: int
    parked: int
    oldest: datetime | None


class Outbox:
    """The table ``platform_outbox``: created by `outbox_ddl`, emptied by `outbox_relay`."""

    async def add(self, connection: Connection, event: Event) -> None:
        """Store *event* in the transaction that *connection* is in: published after its commit, or never.

        Guarantee: the current trace goes with the event; card numbers and secrets in its data are masked.
        Order: events of one subject are published in the order of their adds, provided that changes of that
        subject are serialised (by a lock on its row, as payments are).
        """
        await connection.execute(
            queries.add_to_outbox,
            event.merchant_id,
            event.id,
            event.type,
            event.source,
            event.subject,
            event.time,
            redact_mapping(event.data),
            current_traceparent(),
        )

    async def backlog(self, connection: Connection) -> Backlog:
        """Measure what waits; for a health check or an alert."""
        row = await connection.fetch_one(queries.measure_outbox)
        if row is None:  # an aggregate without GROUP BY always has one row
            return Backlog(waiting=0, parked=0, oldest=None)
        return Backlog(waiting=row["waiting"], parked=row["parked"], oldest=row["oldest"])

    async def release(self, connection: Connection, *, merchant_id: str, event_id: UUID) -> bool:
        """Let a parked event try again, once its cause is mended; return whether it was parked."""
        return await connection.execute(queries.release_parked, merchant_id, event_id) == 1

    async def purge(self, connection: Connection, *, published_before: datetime, limit: int = 1000) -> int:
        """Delete up to *limit* events published before *published_before*; return how many went."""
        return await connection.execute(queries.purge_outbox, published_before, limit)
