"""How much may be returned, and when not."""

from datetime import datetime
from uuid import UUID

from platform_lib import Money

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation
from {{ cookiecutter.package }}.domain.payment import Payment, State
from {{ cookiecutter.package }}.domain.refusals import NotRefundable, RefundExceedsCapture


def refundable(payment: Payment) -> Money:
    """Return what was captured and not returned yet."""
    return payment.captured - payment.refunded


def refund(payment: Payment, attempt_id: UUID, key: str, amount: Money | None, now: datetime) -> Attempt:
    """Record the intent to return *amount*, or all that is refundable."""
    payment.refuse_while_unsettled()
    left = refundable(payment)
    if payment.state is not State.CAPTURED:
        raise NotRefundable(
            f"The payment is {payment.state}; only a captured one can be refunded.", state=payment.state
        )
    amount = payment.in_own_currency(amount) or left
    if amount > left:
        raise RefundExceedsCapture(f"Asked to refund {amount}; {left} of the captured amount is left.")
    return payment.record(attempt_id, Operation.REFUND, key, amount, now)
