"""What is owed to a merchant for one business day, and which day a movement of money belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from platform_lib import Money

ONE_DAY = timedelta(days=1)


class Direction(StrEnum):
    """Which way money moved."""

    CAPTURE = "capture"  # from a customer: we owe it to the merchant
    REFUND = "refund"  # back to a customer: the merchant owes it to us


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved for a merchant; `id` is the attempt that moved it, so that it counts once."""

    id: UUID
    merchant_id: str
    payment_id: UUID
    direction: Direction
    amount: Money  # never negative
    time: datetime

    @property
    def owed(self) -> Money:
        """Return by how much it changes what the merchant is owed."""
        return self.amount if self.direction is Direction.CAPTURE else -self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When a business day ends, counted from midnight UTC, and how long late events are waited for."""

    cutoff_seconds: float
    grace_seconds: float

    def day_of(self, moment: datetime) -> date:
        """Return the business day of *moment*; with a cutoff of two hours, 01:59 is the day before."""
        return (moment.astimezone(UTC) - timedelta(seconds=self.cutoff_seconds)).date()

    def first_open_day(self, now: datetime) -> date:
        """Return the oldest day that is not over, its time for late events included."""
        return self.day_of(now - timedelta(seconds=self.grace_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a merchant is owed in one currency for one business day; once closed it never changes."""

    id: UUID
    merchant_id: str
    day: date
    total: Money  # negative where refunds outweigh captures
    movements: int
    closed_at: datetime | None = None

    @classmethod
    def begin(cls, settlement_id: UUID, movement: Movement, day: date) -> Settlement:
        """Return an empty settlement for the merchant, the currency and the day of *movement*."""
        return cls(
            id=settlement_id,
            merchant_id=movement.merchant_id,
            day=day,
            total=Money(0, movement.amount.currency),
            movements=0,
        )

    def with_movement(self, movement: Movement) -> Settlement:
        """Return the settlement with *movement* in it."""
        return replace(self, total=self.total + movement.owed, movements=self.movements + 1)

    def closed(self, now: datetime) -> Settlement:
        """Return the settlement as it is for ever."""
        return replace(self, closed_at=now)
