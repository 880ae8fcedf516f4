"""What the service does, one function each. The rules are in `domain/`, the wires in `adapters/`.

Every operation runs in three steps, so that a crash at any point loses nothing:

1. intent: one transaction claims the idempotency key and records a pending attempt;
2. the provider is asked, outside of any transaction, with the attempt's id as the reference;
3. outcome: one transaction settles the attempt, publishes the event and stores the answer.

A refusal in step 1 rolls everything back, so the key stays free. Whoever learns the outcome first, the
request, the provider's webhook or the sweeper, takes step 3, and all of them through `_settle`.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from opentelemetry import trace
from platform_lib import Clock, Ids, Money, UnknownOutcome
from platform_lib.errors import CallFailed, NotSent
from platform_lib.payments import Answer
from platform_lib.telemetry import traced

from payments.domain.attempt import Attempt, Operation, Outcome, Result
from payments.domain.payment import Payment
from payments.domain.refund import refund
from payments.ports import (
    Provider,
    Reply,
    Request,
    Store,
    Transaction,
    Unsettled,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """The operations on payments; `render` turns a payment into the answer that the caller gets."""

    store: Store
    provider: Provider
    render: Callable[[Payment, Attempt], Answer]
    clock: Clock
    ids: Ids
    not_found_after: timedelta

    @traced("authorise payment")
    async def authorise(
        self, request: Request, *, amount: Money, payment_token: str, merchant_reference: str
    ) -> Reply:
        """Ask the provider to hold *amount*; a decline is an outcome, not an error."""
        payment_id = self.ids.new()
        async with self.store.transaction() as transaction:
            now = self.clock.now()
            answer = await transaction.claim(request, Operation.AUTHORISE, payment_id, now)
            if answer is not None:
                return Reply(answer, replayed=True)
            attempt = Attempt(
                id=self.ids.new(),
                operation=Operation.AUTHORISE,
                amount=amount,
                idempotency_key=request.key,
                created_at=now,
            )
            payment = Payment.begin(
                merchant_id=request.merchant_id,
                payment_id=payment_id,
                merchant_reference=merchant_reference,
                attempt=attempt,
            )
            await transaction.add(payment)
        return await self._carry_out(
            request, payment, attempt, self.provider.authorise(attempt, payment_token)
        )

    @traced("capture payment")
    async def capture(self, request: Request, payment_id: UUID, amount: Money | None) -> Reply:
        """Take *amount* of what is held, or all that is left of it."""
        return await self._change(
            request,
            payment_id,
            Operation.CAPTURE,
            lambda payment, attempt_id: payment.capture(attempt_id, request.key, amount, self.clock.now()),
        )

    @traced("void payment")
    async def void(self, request: Request, payment_id: UUID) -> Reply:
        """Release what is held."""
        return await self._change(
            request,
            payment_id,
            Operation.VOID,
            lambda payment, attempt_id: payment.void(attempt_id, request.key, self.clock.now()),
        )

    @traced("refund payment")
    async def refund(self, request: Request, payment_id: UUID, amount: Money | None) -> Reply:
        """Return *amount* of what was captured, or all that is left of it."""
        return await self._change(
            request,
            payment_id,
            Operation.REFUND,
            lambda payment, attempt_id: refund(payment, attempt_id, request.key, amount, self.clock.now()),
        )

    @traced("resolve attempt")
    async def resolve(self, unsettled: Unsettled) -> None:
        """Ask the provider what became of an attempt, and settle it if there is an answer."""
        try:
            result = await self.provider.look_up(unsettled.attempt_id)
        except CallFailed as error:
            # NotSent as well: that the question never arrived says nothing about the attempt.
            result = Result.unknown(error.reason)
        if result is None:
            # The request may still be on its way: absence proves only after a while that nothing was done.
            age = self.clock.now() - unsettled.created_at
            if age >= self.not_found_after:
                result = Result.failed("not_found_at_provider")
            else:
                result = Result.unknown("not_found_yet")
        async with self.store.transaction() as transaction:
            await self._settle(transaction, unsettled, result)

    @traced("hear from provider")
    async def hear(self, source: str, event_id: str, result: Result) -> None:
        """Settle the attempt that the provider's event *event_id* is about; each event counts once."""
        async with self.store.transaction() as transaction:
            if not await transaction.is_new(source, event_id):
                return
            unsettled = await transaction.find_attempt(result.reference or "")
            if unsettled is None:
                log.warning("provider event %s: there is no attempt %s; ignored", event_id, result.reference)
                return
            await self._settle(transaction, unsettled, result)

    async def _change(
        self,
        request: Request,
        payment_id: UUID,
        operation: Operation,
        begin: Callable[[Payment, UUID], Attempt],
    ) -> Reply:
        async with self.store.transaction() as transaction:
            now = self.clock.now()
            answer = await transaction.claim(request, operation, payment_id, now)
            if answer is not None:
                return Reply(answer, replayed=True)
            payment = await transaction.lock(request.merchant_id, payment_id)
            attempt = begin(payment, self.ids.new())
            await transaction.add_attempt(payment, attempt)
        call = self.provider.change(attempt, payment.authorisation or "")
        return await self._carry_out(request, payment, attempt, call)

    async def _carry_out(
        self, request: Request, payment: Payment, attempt: Attempt, call: Awaitable[Result]
    ) -> Reply:
        try:
            result = await call
        except UnknownOutcome as error:
            result = Result.unknown(error.reason)
        except NotSent:
            # The connection was never made, so nothing was done: a plain "failed" lets the merchant try again
            # at once, where "unknown" would hold the payment until the sweeper has learnt the same.
            result = Result.failed("provider_unreachable")
        unsettled = Unsettled(
            merchant_id=payment.merchant_id,
            payment_id=payment.id,
            attempt_id=attempt.id,
            created_at=attempt.created_at,
        )
        async with self.store.transaction() as transaction:
            answer = await self._settle(transaction, unsettled, result)
            if answer is None:  # the webhook or the sweeper was first, and its answer is the one that stands
                answer = await transaction.answered(request, attempt.operation, payment.id)
        return Reply(answer)

    async def _settle(self, transaction: Transaction, unsettled: Unsettled, result: Result) -> Answer | None:
        """Apply *result*; return the caller's answer if this is the first result of the attempt."""
        payment = await transaction.lock(unsettled.merchant_id, unsettled.payment_id)
        before = payment.attempt(unsettled.attempt_id)
        show_in_trace(payment, before)
        event = payment.settle(before.id, result, self.clock.now())
        attempt = payment.attempt(before.id)
        if before.contradicts(result):
            log.error("attempt %s is %s, now the provider says %s", before.id, before.outcome, result.outcome)
        if attempt == before:
            return None
        await transaction.save(payment, attempt)
        if attempt.outcome is Outcome.UNKNOWN:
            log.warning("attempt %s has an unknown outcome: %s", attempt.id, attempt.code)
        if event is not None:
            await transaction.publish(event)
        if before.outcome is not Outcome.PENDING:
            return None
        answer = self.render(payment, attempt)
        await transaction.keep(payment.merchant_id, attempt, answer)
        return answer


def show_in_trace(payment: Payment, attempt: Attempt) -> None:
    """Let support find the trace by the ids that a merchant or the provider names."""
    trace.get_current_span().set_attributes(
        {"payment.id": str(payment.id), "attempt.id": str(attempt.id), "attempt.operation": attempt.operation}
    )
