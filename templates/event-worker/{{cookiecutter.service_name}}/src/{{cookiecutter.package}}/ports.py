"""What the use cases need of the outside: a store. Nothing here knows SQL or the broker."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Protocol
from uuid import UUID

from {{ cookiecutter.package }}.domain.events import SettlementClosed
from {{ cookiecutter.package }}.domain.settlement import Movement, Settlement


class Transaction(Protocol):
    """One database transaction: all of it is stored, or nothing."""

    async def is_new(self, source: str, event_id: UUID, merchant_id: str) -> bool:
        """Say whether the event is seen for the first time."""
        ...

    async def lock(self, empty: Settlement) -> Settlement:
        """Return the settlement of the merchant, currency and day of *empty*, or *empty*, stored.

        Nobody else changes it until the transaction ends.
        """
        ...

    async def add(self, settlement: Settlement, movement: Movement) -> None:
        """Store *movement*, and *settlement* with it in it."""
        ...

    async def lock_open(self, before: date, *, limit: int) -> Sequence[Settlement]:
        """Return up to *limit* open settlements of days before *before* that nobody else has locked."""
        ...

    async def close(self, settlement: Settlement) -> None:
        """Store that *settlement* is closed."""
        ...

    async def publish(self, event: SettlementClosed) -> None:
        """Let *event* leave with this transaction, or not at all."""
        ...


class Store(Protocol):
    """Where settlements are kept."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction; it commits on leaving, and rolls back on an exception."""
        ...
