"""What the worker does, one function each. The rules are in `domain/`, the wires in `adapters/`.

An event takes effect in one transaction with the note that it was handled: a crash before its commit leaves
nothing, and a second delivery after it does nothing.
"""

from dataclasses import dataclass
from uuid import UUID

from opentelemetry import trace
from platform_lib import Clock, Ids
from platform_lib.telemetry import traced

from settlements.domain.events import SettlementClosed
from settlements.domain.settlement import ONE_DAY, Calendar, Movement, Settlement
from settlements.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """The operations on settlements."""

    store: Store
    calendar: Calendar
    clock: Clock
    ids: Ids

    @traced("record movement")
    async def record(self, source: str, event_id: UUID, movement: Movement) -> None:
        """Add *movement*, which an event tells of, to the settlement of its day; each event counts once.

        What comes after its day was closed belongs to the first day that is still open.
        """
        trace.get_current_span().set_attribute("payment.id", str(movement.payment_id))
        async with self.store.transaction() as transaction:
            if not await transaction.is_new(source, event_id, movement.merchant_id):
                return
            day = max(self.calendar.day_of(movement.time), self.calendar.first_open_day(self.clock.now()))
            settlement = await transaction.lock(Settlement.begin(self.ids.new(), movement, day))
            while settlement.closed_at is not None:  # by a replica whose clock is ahead of ours
                day += ONE_DAY
                settlement = await transaction.lock(Settlement.begin(self.ids.new(), movement, day))
            await transaction.add(settlement.with_movement(movement), movement)

    @traced("close settlements")
    async def close_due(self, *, limit: int) -> int:
        """Close up to *limit* settlements whose day and grace are over; return how many there were."""
        now = self.clock.now()
        async with self.store.transaction() as transaction:
            due = await transaction.lock_open(self.calendar.first_open_day(now), limit=limit)
            for settlement in due:
                closed = settlement.closed(now)
                await transaction.close(closed)
                await transaction.publish(SettlementClosed(settlement=closed, time=now))
        return len(due)
