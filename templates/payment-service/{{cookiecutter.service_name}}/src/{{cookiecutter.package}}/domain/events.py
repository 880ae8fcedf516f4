"""What happened to a payment, as other services hear it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Outcome

TYPES = {
    (Operation.AUTHORISE, Outcome.SUCCEEDED): "payment.authorised",
    (Operation.CAPTURE, Outcome.SUCCEEDED): "payment.captured",
    (Operation.VOID, Outcome.SUCCEEDED): "payment.voided",
    (Operation.REFUND, Outcome.SUCCEEDED): "payment.refunded",
    # A "no" has one type whatever was asked; `operation` in the data says which.
    **{(operation, Outcome.DECLINED): "payment.declined" for operation in Operation},
    **{(operation, Outcome.FAILED): "payment.failed" for operation in Operation},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """One attempt on one payment was settled."""

    merchant_id: str
    payment_id: UUID
    merchant_reference: str
    attempt: Attempt
    time: datetime

    @property
    def type(self) -> str:
        """Return the name that consumers subscribe to."""
        return TYPES[self.attempt.operation, self.attempt.outcome]

    def data(self) -> dict[str, Any]:
        """Return what consumers read; members are only ever added."""
        return {
            "payment_id": str(self.payment_id),
            "merchant_reference": self.merchant_reference,
            "operation": self.attempt.operation.value,
            "attempt_id": str(self.attempt.id),
            "amount": {
                "minor_units": self.attempt.amount.minor_units,
                "currency": self.attempt.amount.currency,
            },
            "decline_code": self.attempt.code,
        }
