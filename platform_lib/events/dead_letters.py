"""Dead letters: events that a consumer gave up on, kept for a person to look at and to try again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from platform_lib.clients import Connection
from platform_lib.clock import Clock, SystemClock
from platform_lib.events._queries import queries
from platform_lib.events.event import Event
from platform_lib.redaction import redact_mapping


@dataclass(frozen=True)
class DeadLetter:
    """An event that waits for somebody to mend what stands in its way.

    Attributes:
        event: the event, as it arrived.
        reason: the kind of error that it met last.
        given_up_at: when the consumer gave up on it, UTC-aware.
    """

    event: Event
    reason: str
    given_up_at: datetime


class DeadLetters:
    """The table ``platform_dead_letter``, created by `dead_letters_ddl`.

    *consumer* is the name that the consumer's `Inbox` has.
    """

    def __init__(self, consumer: str = "service", *, clock: Clock | None = None) -> None:
        self._consumer = consumer
        self._clock = clock or SystemClock()

    async def add(self, connection: Connection, event: Event, error: Exception) -> None:
        """Keep *event*; the same event again changes nothing.

        Guarantee: of *error* the kind alone is stored, as its text may quote the event; card numbers and
        secrets in the event's data are masked.
        """
        await connection.execute(
            queries.add_dead_letter,
            event.merchant_id,
            self._consumer,
            event.source,
            event.id,
            event.type,
            event.subject,
            event.time,
            redact_mapping(event.data),
            type(error).__name__,
            self._clock.now(),
        )

    async def waiting(self, connection: Connection, *, limit: int = 100) -> list[DeadLetter]:
        """Return up to *limit* dead letters, the oldest event first."""
        rows = await connection.fetch_all(queries.read_dead_letters, self._consumer, limit)
        return [
            DeadLetter(
                event=Event(
                    id=row["event_id"],
                    type=row["type"],
                    source=row["source"],
                    subject=row["subject"],
                    merchant_id=row["merchant_id"],
                    time=row["time"],
                    data=row["data"],
                ),
                reason=row["reason"],
                given_up_at=row["given_up_at"],
            )
            for row in rows
        ]

    async def count(self, connection: Connection) -> int:
        """Count the dead letters; for a health check or an alert."""
        row = await connection.fetch_one(queries.count_dead_letters, self._consumer)
        return 0 if row is None else int(row["waiting"])

    async def remove(self, connection: Connection, event: Event) -> bool:
        """Forget the dead letter of *event*, in the transaction of its effect; say if there was one."""
        removed = await connection.execute(
            queries.remove_dead_letter, event.merchant_id, self._consumer, event.source, event.id
        )
        return removed == 1
