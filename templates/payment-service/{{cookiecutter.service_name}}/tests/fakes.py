"""The ports in memory; `contract/` holds the provider to the same suite as the real one."""

import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from platform_lib import UnknownOutcome
from platform_lib.payments import Answer, IdempotencyKeyInUse, IdempotencyKeyReused

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Outcome, Result
from {{ cookiecutter.package }}.domain.events import PaymentEvent
from {{ cookiecutter.package }}.domain.payment import Payment
from {{ cookiecutter.package }}.domain.refusals import OperationInProgress, PaymentNotFound
from {{ cookiecutter.package }}.ports import Request, Unsettled


@dataclass
class FakeStore:
    """The port `Store` and `Transaction` in dictionaries; a transaction that raises leaves no trace."""

    payments: dict[tuple[str, UUID], Payment] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], tuple[bytes, Answer | None]] = field(default_factory=dict)
    events: list[PaymentEvent] = field(default_factory=list)
    heard: set[tuple[str, str]] = field(default_factory=set)
    in_transaction: bool = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        before = copy.deepcopy((self.payments, self.keys, self.events, self.heard))
        self.in_transaction = True
        try:
            yield self
        except BaseException:
            self.payments, self.keys, self.events, self.heard = before
            raise
        finally:
            self.in_transaction = False

    async def claim(
        self, request: Request, operation: Operation, payment_id: UUID, now: datetime
    ) -> Answer | None:
        name = (request.merchant_id, operation.value, request.key)
        if name not in self.keys:
            self.keys[name] = (request.fingerprint, None)
            return None
        fingerprint, answer = self.keys[name]
        if fingerprint != request.fingerprint:
            raise IdempotencyKeyReused
        if answer is None:
            raise IdempotencyKeyInUse
        return answer

    async def answered(self, request: Request, operation: Operation, payment_id: UUID) -> Answer:
        answer = self.keys[request.merchant_id, operation.value, request.key][1]
        assert answer is not None
        return answer

    async def keep(self, merchant_id: str, attempt: Attempt, answer: Answer) -> None:
        name = (merchant_id, attempt.operation.value, attempt.idempotency_key)
        fingerprint, first = self.keys[name]
        self.keys[name] = (fingerprint, first or answer)

    async def add(self, payment: Payment) -> None:
        self.payments[payment.merchant_id, payment.id] = copy.deepcopy(payment)

    async def lock(self, merchant_id: str, payment_id: UUID) -> Payment:
        return await self.get(merchant_id, payment_id)

    async def add_attempt(self, payment: Payment, attempt: Attempt) -> None:
        stored = self.payments[payment.merchant_id, payment.id]
        if not all(known.outcome.is_settled for known in stored.attempts):
            raise OperationInProgress
        stored.attempts.append(attempt)

    async def save(self, payment: Payment, attempt: Attempt) -> None:
        assert attempt in payment.attempts
        self.payments[payment.merchant_id, payment.id] = copy.deepcopy(payment)

    async def publish(self, event: PaymentEvent) -> None:
        self.events.append(event)

    async def find_attempt(self, reference: str) -> Unsettled | None:
        found = (
            Unsettled(
                merchant_id=payment.merchant_id,
                payment_id=payment.id,
                attempt_id=attempt.id,
                created_at=attempt.created_at,
            )
            for payment in self.payments.values()
            for attempt in payment.attempts
            if str(attempt.id) == reference
        )
        return next(found, None)

    async def is_new(self, source: str, event_id: str) -> bool:
        new = (source, event_id) not in self.heard
        self.heard.add((source, event_id))
        return new

    async def get(self, merchant_id: str, payment_id: UUID) -> Payment:
        if (merchant_id, payment_id) not in self.payments:
            raise PaymentNotFound
        return copy.deepcopy(self.payments[merchant_id, payment_id])

    async def page(self, merchant_id: str, *, limit: int, after: UUID | None) -> Sequence[Payment]:
        raise NotImplementedError

    async def lease_due(self, now: datetime, *, lease_seconds: float, limit: int) -> Sequence[Unsettled]:
        raise NotImplementedError


@dataclass
class FakeProvider:
    """The port `Provider`: does the work once per reference, and reacts to the token as the sandbox does."""

    done: dict[UUID, Result] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    async def authorise(self, attempt: Attempt, payment_token: str) -> Result:
        authorisation = f"auth_{attempt.id.hex}"
        self.tokens[authorisation] = payment_token
        return self._do(attempt, authorisation)

    async def change(self, attempt: Attempt, authorisation: str) -> Result:
        return self._do(attempt, authorisation)

    async def look_up(self, reference: UUID) -> Result | None:
        return self.done.get(reference)

    def _do(self, attempt: Attempt, authorisation: str) -> Result:
        self.calls += 1
        if attempt.id in self.done:
            return self.done[attempt.id]
        token = self.tokens[authorisation]
        if token == "tok_rate_limited":
            return Result.failed("rate_limited")
        result = Result(
            outcome=Outcome.SUCCEEDED,
            reference=str(attempt.id),
            operation=attempt.operation,
            amount=attempt.amount,
            authorisation=authorisation,
        )
        match token, attempt.operation:
            case "tok_insufficient_funds", Operation.AUTHORISE:
                result = replace(result, outcome=Outcome.DECLINED, code="insufficient_funds")
            case "tok_refund_declined", Operation.REFUND:
                result = replace(result, outcome=Outcome.DECLINED, code="refund_not_permitted")
            case "tok_3ds_required", Operation.AUTHORISE:
                result = replace(
                    result, outcome=Outcome.ACTION_REQUIRED, redirect_url="http://provider.test/challenge"
                )
        self.done[attempt.id] = result
        if (token, attempt.operation) in {
            ("tok_reply_lost", Operation.AUTHORISE),
            ("tok_capture_reply_lost", Operation.CAPTURE),
        }:
            raise UnknownOutcome("provider", "connection_closed")
        return result
