"""Payments in PostgreSQL: loads and saves the aggregate by the statements of `queries.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from asyncpg import IntegrityConstraintViolationError
from platform_lib import Clock, Fault, Ids, Money
from platform_lib.clients import Connection, Postgres, Queries, Record, violated_constraint
from platform_lib.events import Event, Inbox, Outbox
from platform_lib.payments import Answer, Claimed, IdempotencyKeys

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Outcome
from {{ cookiecutter.package }}.domain.events import PaymentEvent
from {{ cookiecutter.package }}.domain.payment import Payment, State
from {{ cookiecutter.package }}.domain.refusals import OperationInProgress, PaymentNotFound
from {{ cookiecutter.package }}.ports import Request, Unsettled

queries = Queries.from_package("{{ cookiecutter.package }}.adapters", "queries.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresStore:
    """The port `Store`; `lease_seconds` is how long a pending attempt is left to the request that made it."""

    database: Postgres
    keys: IdempotencyKeys
    outbox: Outbox
    inbox: Inbox
    clock: Clock
    ids: Ids
    source: str
    lease_seconds: float

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction."""
        async with self.database.transaction() as connection:
            yield PostgresTransaction(self, connection)

    async def get(self, merchant_id: str, payment_id: UUID) -> Payment:
        """Return the payment as last committed."""
        async with self.database.connection() as connection:
            return await _find(connection, merchant_id, payment_id)

    async def page(self, merchant_id: str, *, limit: int, after: UUID | None) -> Sequence[Payment]:
        """Return up to *limit* payments, newest first, older than *after*."""
        async with self.database.connection() as connection:
            rows = await connection.fetch_all(queries.page_of_payments, merchant_id, after, limit)
        return _payments(rows)

    async def lease_due(self, now: datetime, *, lease_seconds: float, limit: int) -> Sequence[Unsettled]:
        """Return attempts that are due, and keep other sweepers off them."""
        async with self.database.connection() as connection:
            rows = await connection.fetch_all(queries.lease_due_attempts, now, lease_seconds, limit)
        return [_unsettled(row) for row in rows]


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """The port `Transaction`."""

    store: PostgresStore
    connection: Connection

    async def claim(
        self, request: Request, operation: Operation, payment_id: UUID, now: datetime
    ) -> Answer | None:
        """Take the request's key, or return the stored answer."""
        claim = await self.store.keys.claim(
            self.connection,
            merchant_id=request.merchant_id,
            operation=operation,
            key=request.key,
            fingerprint=request.fingerprint,
            resource_id=payment_id,
            now=now,
        )
        return None if isinstance(claim, Claimed) else claim.answer

    async def answered(self, request: Request, operation: Operation, payment_id: UUID) -> Answer:
        """Return the answer that is stored under the request's key."""
        answer = await self.claim(request, operation, payment_id, self.store.clock.now())
        if answer is None:
            raise Fault(
                f"payment {payment_id}: the key of its {operation} has no answer; it was purged too early"
            )
        return answer

    async def keep(self, merchant_id: str, attempt: Attempt, answer: Answer) -> None:
        """Store *answer* under the key of *attempt*."""
        await self.store.keys.settle(
            self.connection,
            merchant_id=merchant_id,
            operation=attempt.operation,
            key=attempt.idempotency_key,
            answer=answer,
        )

    async def add(self, payment: Payment) -> None:
        """Store a new payment and its attempt."""
        await self.connection.execute(
            queries.add_payment,
            payment.merchant_id,
            payment.id,
            payment.merchant_reference,
            payment.amount.currency,
            payment.amount.minor_units,
            payment.state,
            payment.created_at,
        )
        for attempt in payment.attempts:
            await self.add_attempt(payment, attempt)

    async def add_attempt(self, payment: Payment, attempt: Attempt) -> None:
        """Store a new attempt on a stored payment."""
        try:
            await self.connection.execute(
                queries.add_attempt,
                payment.merchant_id,
                attempt.id,
                payment.id,
                payment.attempts.index(attempt) + 1,
                attempt.operation,
                attempt.amount.minor_units,
                attempt.outcome,
                attempt.idempotency_key,
                attempt.created_at,
                self.store.lease_seconds,
            )
        except IntegrityConstraintViolationError as error:
            if violated_constraint(error) in {"attempt_one_unsettled", "attempt_number"}:
                raise OperationInProgress("Another operation was recorded first.") from error
            raise

    async def lock(self, merchant_id: str, payment_id: UUID) -> Payment:
        """Return the payment as it is now, locked."""
        await self.connection.execute(queries.lock_payment, merchant_id, payment_id)
        # A statement of its own: the one that waits for the lock sees the attempts of before the wait.
        return await _find(self.connection, merchant_id, payment_id)

    async def save(self, payment: Payment, attempt: Attempt) -> None:
        """Store where the payment stands and what became of one attempt."""
        await self.connection.execute(
            queries.save_payment,
            payment.merchant_id,
            payment.id,
            payment.state,
            payment.authorised.minor_units,
            payment.captured.minor_units,
            payment.refunded.minor_units,
            payment.authorisation,
            payment.updated_at,
        )
        await self.connection.execute(
            queries.save_attempt,
            payment.merchant_id,
            attempt.id,
            attempt.outcome,
            attempt.code,
            attempt.redirect_url,
            attempt.settled_at,
            payment.updated_at,
        )

    async def publish(self, event: PaymentEvent) -> None:
        """Put *event* into the outbox."""
        await self.store.outbox.add(
            self.connection,
            Event(
                id=self.store.ids.new(),
                type=event.type,
                source=self.store.source,
                subject=str(event.payment_id),
                merchant_id=event.merchant_id,
                time=event.time,
                data=event.data(),
            ),
        )

    async def find_attempt(self, reference: str) -> Unsettled | None:
        """Return where the attempt is that the provider knows by *reference*."""
        try:
            attempt_id = UUID(reference)
        except ValueError:
            return None
        row = await self.connection.fetch_one(queries.find_attempt, attempt_id)
        return None if row is None else _unsettled(row)

    async def is_new(self, source: str, event_id: str) -> bool:
        """Note *event_id* in the inbox."""
        return await self.store.inbox.accept(self.connection, source, event_id)


async def _find(connection: Connection, merchant_id: str, payment_id: UUID) -> Payment:
    payments = _payments(await connection.fetch_all(queries.find_payment, merchant_id, payment_id))
    if not payments:
        raise PaymentNotFound(f"There is no payment {payment_id}.")
    return payments[0]


def _payments(rows: Iterable[Record]) -> list[Payment]:
    return [_payment(list(group)) for _, group in groupby(rows, key=lambda row: row["id"])]


def _payment(rows: list[Record]) -> Payment:
    row = rows[0]
    currency = row["currency"]
    return Payment(
        merchant_id=row["merchant_id"],
        id=row["id"],
        merchant_reference=row["merchant_reference"],
        amount=Money(row["amount"], currency),
        state=State(row["state"]),
        authorised=Money(row["authorised"], currency),
        captured=Money(row["captured"], currency),
        refunded=Money(row["refunded"], currency),
        authorisation=row["provider_authorisation"],
        attempts=[_attempt(row, currency) for row in rows],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _attempt(row: Record, currency: str) -> Attempt:
    return Attempt(
        id=row["attempt_id"],
        operation=Operation(row["operation"]),
        amount=Money(row["attempt_amount"], currency),
        idempotency_key=row["idempotency_key"],
        created_at=row["attempt_created_at"],
        outcome=Outcome(row["outcome"]),
        code=row["code"],
        redirect_url=row["redirect_url"],
        settled_at=row["settled_at"],
    )


def _unsettled(row: Record) -> Unsettled:
    return Unsettled(
        merchant_id=row["merchant_id"],
        payment_id=row["payment_id"],
        attempt_id=row["id"],
        created_at=row["created_at"],
    )
