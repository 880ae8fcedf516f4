"""The events of payments: the only file that speaks the words of the service that sends them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from platform_lib import Money, PlatformError
from platform_lib.events import Event
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from settlements.domain.settlement import Direction, Movement

# What moves money; authorisations, voids, declines and failures do not.
TYPES = {"payment.captured": Direction.CAPTURE, "payment.refunded": Direction.REFUND}


class UnreadableEvent(PlatformError):
    """An event that moves money is not what its sender promised; trying it again cannot help."""


class EventAmount(BaseModel):
    """Money in the sender's words, which for amounts are ours."""

    model_config = ConfigDict(strict=True)

    minor_units: int = Field(gt=0)
    currency: str


class PaymentChanged(BaseModel):
    """What we read of an event's data; other members are ignored."""

    payment_id: UUID
    attempt_id: UUID
    operation: Literal["capture", "refund"]
    amount: EventAmount


def read_movement(event: Event) -> Movement | None:
    """Return the movement that *event* tells of; None if it tells of none.

    Raises:
        UnreadableEvent: it should, and cannot be read.
    """
    if (direction := TYPES.get(event.type)) is None:
        return None
    try:
        changed = PaymentChanged.model_validate(event.data)
        amount = Money(changed.amount.minor_units, changed.amount.currency)
    except (ValidationError, ValueError) as error:
        raise UnreadableEvent(f"event {event.id}: its data is not that of a {event.type}") from error
    if changed.operation != direction:
        raise UnreadableEvent(f"event {event.id}: {event.type} about a {changed.operation}")
    return Movement(
        id=changed.attempt_id,
        merchant_id=event.merchant_id,
        payment_id=changed.payment_id,
        direction=direction,
        amount=amount,
        time=event.time,
    )
