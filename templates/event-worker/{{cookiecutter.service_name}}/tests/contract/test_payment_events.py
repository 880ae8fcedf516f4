"""What we rely on in the events of payments: read as they are sent, refused where they break the promise."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from platform_lib import Money
from platform_lib.events import Event

from {{ cookiecutter.package }}.adapters.payment_events import UnreadableEvent, read_movement
from {{ cookiecutter.package }}.domain.settlement import Direction

# As it stands on the broker.
CAPTURED = b"""{
    "specversion": "1.0",
    "id": "0197c0de-7000-7000-8000-0000000000e1",
    "type": "payment.captured",
    "source": "payments",
    "subject": "0197c0de-7000-7000-8000-0000000000a1",
    "time": "2026-01-02T03:04:05Z",
    "datacontenttype": "application/json",
    "merchantid": "acme",
    "data": {
        "payment_id": "0197c0de-7000-7000-8000-0000000000a1",
        "merchant_reference": "order-1",
        "operation": "capture",
        "attempt_id": "0197c0de-7000-7000-8000-0000000000b1",
        "amount": {"minor_units": 1250, "currency": "EUR"},
        "decline_code": null
    }
}"""


def event(kind: str = "payment.captured", **changes: Any) -> Event:
    captured = Event.from_json(CAPTURED)
    return replace(captured, type=kind, data={**captured.data, **changes})


def test_a_capture_is_money_that_we_owe() -> None:
    movement = read_movement(event())

    assert movement is not None
    assert (movement.direction, movement.amount) == (Direction.CAPTURE, Money(1250, "EUR"))
    assert (movement.merchant_id, movement.time) == ("acme", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert movement.id == UUID("0197c0de-7000-7000-8000-0000000000b1")
    assert movement.payment_id == UUID("0197c0de-7000-7000-8000-0000000000a1")


def test_a_refund_is_money_that_we_take_back() -> None:
    movement = read_movement(event("payment.refunded", operation="refund"))

    assert movement is not None
    assert movement.owed == Money(-1250, "EUR")


def test_members_that_are_new_to_us_are_ignored() -> None:
    assert read_movement(event(scheme="card")) is not None


@pytest.mark.parametrize(
    "kind", ["payment.authorised", "payment.voided", "payment.declined", "payment.failed", "payment.disputed"]
)
def test_what_moves_no_money_does_not_concern_us(kind: str) -> None:
    assert read_movement(event(kind, amount=None)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": {"minor_units": 0, "currency": "EUR"}},
        {"amount": {"minor_units": -5, "currency": "EUR"}},
        {"amount": {"minor_units": "1250", "currency": "EUR"}},
        {"amount": {"minor_units": 12.5, "currency": "EUR"}},
        {"amount": {"minor_units": True, "currency": "EUR"}},
        {"amount": {"minor_units": 1250, "currency": "XXX"}},
        {"attempt_id": "1"},
        {"operation": "refund"},
    ],
)
def test_a_promise_that_is_broken_is_noticed(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEvent):
        read_movement(event(**changes))
