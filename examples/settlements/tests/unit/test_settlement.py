"""Which day money belongs to, and what a day comes to."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from platform_lib import Money
from platform_lib.money import CurrencyMismatch

from settlements.domain.events import SettlementClosed
from settlements.domain.settlement import (
    Calendar,
    Direction,
    Movement,
    Settlement,
)

HOUR = 3_600.0
DAY = date(2026, 1, 2)


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def movement(
    minor_units: int = 1250, direction: Direction = Direction.CAPTURE, currency: str = "EUR"
) -> Movement:
    return Movement(
        id=UUID(int=1),
        merchant_id="acme",
        payment_id=UUID(int=2),
        direction=direction,
        amount=Money(minor_units, currency),
        time=at(12),
    )


@pytest.mark.parametrize(
    ("cutoff_hours", "moment", "day"),
    [
        (0, at(0), DAY),
        (0, at(23, 59), DAY),
        (2, at(1, 59), date(2026, 1, 1)),
        (2, at(2), DAY),
        (2, at(1, 59, day=3), DAY),
    ],
)
def test_a_day_ends_at_the_cutoff(cutoff_hours: int, moment: datetime, day: date) -> None:
    assert Calendar(cutoff_seconds=cutoff_hours * HOUR, grace_seconds=0).day_of(moment) == day


def test_a_day_is_open_until_its_grace_is_over() -> None:
    calendar = Calendar(cutoff_seconds=0, grace_seconds=HOUR)

    assert calendar.first_open_day(at(0, 59, day=3)) == DAY
    assert calendar.first_open_day(at(1, 0, day=3)) == date(2026, 1, 3)


def test_captures_are_owed_and_refunds_are_taken_back() -> None:
    settlement = Settlement.begin(UUID(int=3), movement(), DAY)

    settlement = settlement.with_movement(movement(1250)).with_movement(movement(2000, Direction.REFUND))

    assert (settlement.total, settlement.movements) == (Money(-750, "EUR"), 2)


def test_currencies_are_never_added_up() -> None:
    settlement = Settlement.begin(UUID(int=3), movement(), DAY)

    with pytest.raises(CurrencyMismatch):
        settlement.with_movement(movement(currency="SEK"))


def test_what_others_hear_of_a_closed_settlement() -> None:
    settlement = Settlement.begin(UUID(int=3), movement(), DAY).with_movement(movement()).closed(at(1, day=3))

    event = SettlementClosed(settlement=settlement, time=at(1, day=3))

    assert event.type == "settlement.closed"
    assert event.data() == {
        "settlement_id": "00000000-0000-0000-0000-000000000003",
        "day": "2026-01-02",
        "total": {"minor_units": 1250, "currency": "EUR"},
        "movements": 1,
    }
