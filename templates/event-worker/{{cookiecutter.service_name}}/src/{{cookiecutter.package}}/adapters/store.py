"""Settlements in PostgreSQL, by the statements of `queries.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from platform_lib import Fault, Ids, Money
from platform_lib.clients import Connection, Postgres, Queries, Record
from platform_lib.events import DeadLetter, DeadLetters, Event, Inbox, Outbox

from {{ cookiecutter.package }}.domain.events import SettlementClosed
from {{ cookiecutter.package }}.domain.settlement import Movement, Settlement

queries = Queries.from_package("{{ cookiecutter.package }}.adapters", "queries.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresStore:
    """The port `Store`, and what the consumer keeps of events that it cannot handle."""

    database: Postgres
    inbox: Inbox
    outbox: Outbox
    dead_letters: DeadLetters
    ids: Ids
    source: str

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction."""
        async with self.database.transaction() as connection:
            yield PostgresTransaction(self, connection)

    async def bury(self, event: Event, error: Exception) -> None:
        """Keep *event* as a dead letter."""
        async with self.database.transaction() as connection:
            await self.dead_letters.add(connection, event, error)

    async def unbury(self, event: Event) -> None:
        """Forget the dead letter of *event*."""
        async with self.database.transaction() as connection:
            await self.dead_letters.remove(connection, event)

    async def buried(self, *, limit: int) -> Sequence[DeadLetter]:
        """Return up to *limit* dead letters, oldest first."""
        async with self.database.connection() as connection:
            return await self.dead_letters.waiting(connection, limit=limit)

    async def count_buried(self) -> int:
        """Count the dead letters."""
        async with self.database.connection() as connection:
            return await self.dead_letters.count(connection)


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """The port `Transaction`."""

    store: PostgresStore
    connection: Connection

    async def is_new(self, source: str, event_id: UUID, merchant_id: str) -> bool:
        """Note the event in the inbox."""
        return await self.store.inbox.accept(self.connection, source, str(event_id), merchant_id=merchant_id)

    async def lock(self, empty: Settlement) -> Settlement:
        """Return the settlement that *empty* stands for, locked."""
        await self.connection.execute(
            queries.add_settlement, empty.merchant_id, empty.id, empty.total.currency, empty.day
        )
        # A statement of its own: the one that waits for the lock sees what was added during the wait.
        row = await self.connection.fetch_one(
            queries.lock_settlement, empty.merchant_id, empty.total.currency, empty.day
        )
        if row is None:
            raise Fault(f"settlement of {empty.day}: gone while it was being locked; nobody may delete one")
        return _settlement(row)

    async def add(self, settlement: Settlement, movement: Movement) -> None:
        """Store *movement* and the sums with it in them."""
        await self.connection.execute(
            queries.add_movement,
            movement.merchant_id,
            movement.id,
            settlement.id,
            movement.payment_id,
            movement.direction,
            movement.amount.minor_units,
            movement.time,
        )
        await self.connection.execute(
            queries.save_sums,
            settlement.merchant_id,
            settlement.id,
            settlement.total.minor_units,
            settlement.movements,
        )

    async def lock_open(self, before: date, *, limit: int) -> Sequence[Settlement]:
        """Return open settlements of days before *before*, locked."""
        rows = await self.connection.fetch_all(queries.lock_open_settlements, before, limit)
        return [_settlement(row) for row in rows]

    async def close(self, settlement: Settlement) -> None:
        """Store that *settlement* is closed."""
        await self.connection.execute(
            queries.close_settlement, settlement.merchant_id, settlement.id, settlement.closed_at
        )

    async def publish(self, event: SettlementClosed) -> None:
        """Put *event* into the outbox."""
        await self.store.outbox.add(
            self.connection,
            Event(
                id=self.store.ids.new(),
                type=event.type,
                source=self.store.source,
                subject=str(event.settlement.id),
                merchant_id=event.settlement.merchant_id,
                time=event.time,
                data=event.data(),
            ),
        )


def _settlement(row: Record) -> Settlement:
    return Settlement(
        id=row["id"],
        merchant_id=row["merchant_id"],
        day=row["day"],
        total=Money(row["total"], row["currency"]),
        movements=row["movements"],
        closed_at=row["closed_at"],
    )
