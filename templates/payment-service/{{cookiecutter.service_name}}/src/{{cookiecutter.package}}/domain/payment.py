"""The payment: its money, its states, and which operation is allowed when.

A change is made in two steps. An operation (`capture`, `void`, `refund`) records an attempt before the
provider is asked; `settle` applies what the provider did. At most one attempt is unsettled at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from platform_lib import Money

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Outcome, Result
from {{ cookiecutter.package }}.domain.events import PaymentEvent
from {{ cookiecutter.package }}.domain.refusals import (
    CaptureExceedsAuthorisation,
    CurrencyDiffers,
    NotCapturable,
    NotVoidable,
    OperationInProgress,
)


class State(StrEnum):
    """Where a payment stands."""

    PENDING = "pending"  # recorded; the provider is being asked
    UNKNOWN = "unknown"  # the outcome of the last operation is lost; the sweeper finds out
    REQUIRES_ACTION = "requires_action"  # the customer has to confirm
    AUTHORISED = "authorised"  # the money is held
    DECLINED = "declined"
    FAILED = "failed"
    CAPTURED = "captured"  # money was taken, in part or in full; some of it is not returned
    VOIDED = "voided"
    REFUNDED = "refunded"  # all that was taken is returned


# The database refuses every other move as well (migration 0001).
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset(
        {State.UNKNOWN, State.REQUIRES_ACTION, State.AUTHORISED, State.DECLINED, State.FAILED}
    ),
    State.UNKNOWN: frozenset(set(State) - {State.PENDING, State.UNKNOWN}),
    State.REQUIRES_ACTION: frozenset({State.AUTHORISED, State.DECLINED, State.FAILED}),
    State.AUTHORISED: frozenset({State.UNKNOWN, State.CAPTURED, State.VOIDED}),
    State.CAPTURED: frozenset({State.UNKNOWN, State.REFUNDED}),
    State.DECLINED: frozenset(),
    State.FAILED: frozenset(),
    State.VOIDED: frozenset(),
    State.REFUNDED: frozenset(),
}

AFTER_AUTHORISATION: Mapping[Outcome, State] = {
    Outcome.UNKNOWN: State.UNKNOWN,
    Outcome.ACTION_REQUIRED: State.REQUIRES_ACTION,
    Outcome.SUCCEEDED: State.AUTHORISED,
    Outcome.DECLINED: State.DECLINED,
    Outcome.FAILED: State.FAILED,
}


@dataclass(slots=True, kw_only=True)
class Payment:
    """One payment of one merchant; `captured` and `refunded` are totals."""

    merchant_id: str
    id: UUID
    merchant_reference: str
    amount: Money
    state: State
    authorised: Money
    captured: Money
    refunded: Money
    authorisation: str | None  # the provider's id of what it holds
    attempts: list[Attempt]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def begin(
        cls, *, merchant_id: str, payment_id: UUID, merchant_reference: str, attempt: Attempt
    ) -> Payment:
        """Return a new payment whose authorisation is about to be asked for."""
        zero = Money(0, attempt.amount.currency)
        return cls(
            merchant_id=merchant_id,
            id=payment_id,
            merchant_reference=merchant_reference,
            amount=attempt.amount,
            state=State.PENDING,
            authorised=zero,
            captured=zero,
            refunded=zero,
            authorisation=None,
            attempts=[attempt],
            created_at=attempt.created_at,
            updated_at=attempt.created_at,
        )

    def capture(self, attempt_id: UUID, key: str, amount: Money | None, now: datetime) -> Attempt:
        """Record the intent to take *amount*, or all that is left of the authorisation."""
        self.refuse_while_unsettled()
        left = self.authorised - self.captured
        if self.state not in {State.AUTHORISED, State.CAPTURED} or left.minor_units == 0:
            raise NotCapturable(
                f"The payment is {self.state}, and {left} is left to capture.", state=self.state
            )
        amount = self.in_own_currency(amount) or left
        if amount > left:
            raise CaptureExceedsAuthorisation(
                f"Asked to capture {amount}; {left} is left of the authorisation."
            )
        return self.record(attempt_id, Operation.CAPTURE, key, amount, now)

    def void(self, attempt_id: UUID, key: str, now: datetime) -> Attempt:
        """Record the intent to release all that is held."""
        self.refuse_while_unsettled()
        if self.state is not State.AUTHORISED:
            raise NotVoidable(
                f"The payment is {self.state}; only an authorised one can be voided.", state=self.state
            )
        return self.record(attempt_id, Operation.VOID, key, self.authorised, now)

    def settle(self, attempt_id: UUID, result: Result, now: datetime) -> PaymentEvent | None:
        """Apply what the provider did, and return the event if that settles the attempt.

        Idempotent: the first final outcome stands, whatever arrives later and in whatever order.
        """
        attempt = self.attempt(attempt_id)
        result = attempt.checked(result)
        if attempt.outcome.is_settled:
            return None
        if attempt.outcome is Outcome.ACTION_REQUIRED and result.outcome is Outcome.UNKNOWN:
            return None  # asking again taught us nothing: the customer's confirmation is still awaited
        settled = attempt.with_result(result, now)
        if settled == attempt:
            return None
        self.attempts[self.attempts.index(attempt)] = settled
        self.updated_at = now
        self.authorisation = self.authorisation or result.authorisation
        if result.outcome is Outcome.SUCCEEDED:
            self._move_money(settled)
        self._become(self._state_after(settled))
        if not settled.outcome.is_settled:
            return None
        return PaymentEvent(
            merchant_id=self.merchant_id,
            payment_id=self.id,
            merchant_reference=self.merchant_reference,
            attempt=settled,
            time=now,
        )

    def attempt(self, attempt_id: UUID) -> Attempt:
        """Return one attempt of this payment."""
        return next(attempt for attempt in self.attempts if attempt.id == attempt_id)

    def refuse_while_unsettled(self) -> None:
        """Raise if an attempt has no final outcome yet."""
        for attempt in self.attempts:
            if not attempt.outcome.is_settled:
                raise OperationInProgress(
                    f"The last {attempt.operation} is {attempt.outcome}.", state=self.state
                )

    def in_own_currency(self, amount: Money | None) -> Money | None:
        """Return *amount*; raise if it is in another currency than the payment."""
        if amount is not None and amount.currency != self.amount.currency:
            raise CurrencyDiffers(
                f"The payment is in {self.amount.currency}, the amount in {amount.currency}."
            )
        return amount

    def record(
        self, attempt_id: UUID, operation: Operation, key: str, amount: Money, now: datetime
    ) -> Attempt:
        """Add a pending attempt."""
        attempt = Attempt(
            id=attempt_id, operation=operation, amount=amount, idempotency_key=key, created_at=now
        )
        self.attempts.append(attempt)
        return attempt

    def _move_money(self, attempt: Attempt) -> None:
        match attempt.operation:
            case Operation.AUTHORISE:
                self.authorised = attempt.amount
            case Operation.CAPTURE:
                self.captured += attempt.amount
            case Operation.REFUND:
                self.refunded += attempt.amount
            case Operation.VOID:
                pass  # the hold is released; the amount that was authorised stays on record

    def _state_after(self, attempt: Attempt) -> State:
        if attempt.operation is Operation.AUTHORISE:
            return AFTER_AUTHORISATION[attempt.outcome]
        if attempt.outcome is Outcome.UNKNOWN:
            return State.UNKNOWN
        if attempt.operation is Operation.VOID and attempt.outcome is Outcome.SUCCEEDED:
            return State.VOIDED
        # Otherwise the money says it: a payment whose refund was declined is a captured payment.
        if self.captured.minor_units == 0:
            return State.AUTHORISED
        return State.REFUNDED if self.refunded == self.captured else State.CAPTURED

    def _become(self, state: State) -> None:
        if state is not self.state and state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"Payment {self.id}: {self.state} cannot become {state}.")
        self.state = state


class IllegalTransition(RuntimeError):
    """The code tried a move that `TRANSITIONS` does not list: a defect, not a refusal."""
