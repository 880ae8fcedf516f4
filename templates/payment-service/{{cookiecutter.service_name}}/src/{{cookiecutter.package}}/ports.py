"""What the use cases need of the outside: a store and a provider. Nothing here knows SQL or HTTP."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from platform_lib.payments import Answer

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Result
from {{ cookiecutter.package }}.domain.events import PaymentEvent
from {{ cookiecutter.package }}.domain.payment import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for something, under which idempotency key; the fingerprint tells two requests apart."""

    merchant_id: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller is told; `replayed` if the request was answered before."""

    answer: Answer
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """Where an attempt without a final outcome is found."""

    merchant_id: str
    payment_id: UUID
    attempt_id: UUID
    created_at: datetime


class Transaction(Protocol):
    """One database transaction: all of it is stored, or nothing."""

    async def claim(
        self, request: Request, operation: Operation, payment_id: UUID, now: datetime
    ) -> Answer | None:
        """Take the request's key for *operation*, or return the answer that is stored under it.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
            IdempotencyKeyInUse: the first request with the key has no answer yet.
        """
        ...

    async def answered(self, request: Request, operation: Operation, payment_id: UUID) -> Answer:
        """Return the answer that is stored under the request's key."""
        ...

    async def keep(self, merchant_id: str, attempt: Attempt, answer: Answer) -> None:
        """Store *answer* under the key of *attempt*, for every later request with that key."""
        ...

    async def add(self, payment: Payment) -> None:
        """Store a new payment and its attempts."""
        ...

    async def lock(self, merchant_id: str, payment_id: UUID) -> Payment:
        """Return the payment as it is now; nobody else changes it until the transaction ends.

        Raises:
            PaymentNotFound: this merchant has no such payment.
        """
        ...

    async def add_attempt(self, payment: Payment, attempt: Attempt) -> None:
        """Store a new attempt on a stored payment.

        Raises:
            OperationInProgress: another attempt on the payment is unsettled.
        """
        ...

    async def save(self, payment: Payment, attempt: Attempt) -> None:
        """Store where the payment stands and what became of one attempt."""
        ...

    async def publish(self, event: PaymentEvent) -> None:
        """Let *event* leave with this transaction, or not at all."""
        ...

    async def find_attempt(self, reference: str) -> Unsettled | None:
        """Return where the attempt is that the provider knows by *reference*."""
        ...

    async def is_new(self, source: str, event_id: str) -> bool:
        """Say whether *event_id* of *source* is seen for the first time."""
        ...


class Store(Protocol):
    """Where payments are kept."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction; it commits on leaving, and rolls back on an exception."""
        ...

    async def get(self, merchant_id: str, payment_id: UUID) -> Payment:
        """Return the payment as last committed.

        Raises:
            PaymentNotFound: this merchant has no such payment.
        """
        ...

    async def page(self, merchant_id: str, *, limit: int, after: UUID | None) -> Sequence[Payment]:
        """Return up to *limit* payments, newest first, older than *after*."""
        ...

    async def lease_due(self, now: datetime, *, lease_seconds: float, limit: int) -> Sequence[Unsettled]:
        """Return attempts whose outcome should be asked for, and keep other sweepers off them for a while."""
        ...


class Provider(Protocol):
    """The card processor.

    Every call may raise `NotSent` or `UnknownOutcome`. The attempt's id is the reference: asking twice
    with the same reference does the work once.
    """

    async def authorise(self, attempt: Attempt, payment_token: str) -> Result:
        """Ask to hold the amount on the card behind *payment_token*."""
        ...

    async def change(self, attempt: Attempt, authorisation: str) -> Result:
        """Ask for a capture, void or refund of what is held as *authorisation*."""
        ...

    async def look_up(self, reference: UUID) -> Result | None:
        """Return what became of an attempt; None if the provider knows nothing of it."""
        ...
