"""The shapes of requests and responses. Money is an integer of minor units and an ISO 4217 code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from platform_lib import Money
from platform_lib.frameworks.fastapi import RequestBody
from platform_lib.money import is_currency
from platform_lib.payments import Answer
from platform_lib.redaction import redact
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from payments.domain.attempt import Attempt, Operation, Outcome
from payments.domain.payment import Payment, State

MOST_MINOR_UNITS = 999_999_999_999


def _live_currency(code: str) -> str:
    if not is_currency(code):
        raise PydanticCustomError("expected", "a live ISO 4217 currency code")
    return code


def nothing_secret(text: str) -> str:
    """Return *text*, which will be stored or sent on; refuse what looks like card data or a secret."""
    if redact(text) != text:
        raise PydanticCustomError("expected", "a value without card numbers, account numbers or secrets")
    return text


class Amount(RequestBody):
    """An amount of money that is more than nothing."""

    minor_units: Annotated[
        int, Field(gt=0, le=MOST_MINOR_UNITS, description="Cents for EUR, yen for JPY.", examples=[1250])
    ]
    currency: Annotated[
        str,
        Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["EUR"]),
        AfterValidator(_live_currency),
    ]

    def money(self) -> Money:
        """Return the amount as money."""
        return Money(self.minor_units, self.currency)


class NewPayment(RequestBody):
    """What to authorise. Cards are never sent here: the token stands for one."""

    amount: Amount
    payment_token: Annotated[
        str,
        Field(
            pattern="^tok_[A-Za-z0-9_]{1,60}$", description="From the provider.", examples=["tok_approved"]
        ),
        AfterValidator(nothing_secret),
    ]
    merchant_reference: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9._:/#-]{1,64}$",
            description="The merchant's own name for the payment.",
            examples=["order-1"],
        ),
        AfterValidator(nothing_secret),
    ]


class PartOfPayment(RequestBody):
    """How much to capture or refund."""

    amount: Annotated[Amount | None, Field(description="All that is left, if absent.")] = None


class Nothing(RequestBody):
    """An empty object."""


class ResponseBody(BaseModel):
    """The base of a response's shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Total(ResponseBody):
    """An amount of money that may be nothing."""

    minor_units: Annotated[int, Field(ge=0, examples=[1250])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]

    @classmethod
    def of(cls, money: Money) -> Self:
        """Return *money* in this shape."""
        return cls(minor_units=money.minor_units, currency=money.currency)


class AttemptBody(ResponseBody):
    """One operation that the provider was asked for."""

    id: Annotated[UUID, Field(description="The reference by which the provider knows it.")]
    operation: Operation
    outcome: Outcome
    amount: Total
    decline_code: Annotated[str | None, Field(description="Why it was declined, failed, or is unknown.")]
    created_at: datetime

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Return *attempt* in this shape."""
        return cls(
            id=attempt.id,
            operation=attempt.operation,
            outcome=attempt.outcome,
            amount=Total.of(attempt.amount),
            decline_code=attempt.code,
            created_at=attempt.created_at,
        )


class NextAction(ResponseBody):
    """What the customer has to do."""

    redirect_url: Annotated[str, Field(description="Send the customer's browser here.")]


class PaymentBody(ResponseBody):
    """A payment and every attempt on it, oldest first."""

    id: UUID
    merchant_reference: str
    state: State
    amount: Annotated[Total, Field(description="What was asked for.")]
    authorised: Annotated[Total, Field(description="What the provider has agreed to hold.")]
    captured: Annotated[Total, Field(description="What was taken so far.")]
    refunded: Annotated[Total, Field(description="What was returned so far.")]
    decline_code: Annotated[str | None, Field(description="Why the authorisation was declined or failed.")]
    next_action: NextAction | None
    attempts: list[AttemptBody]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """Return *payment* in this shape."""
        authorisation = payment.attempts[0]
        waiting = authorisation.outcome is Outcome.ACTION_REQUIRED and authorisation.redirect_url
        return cls(
            id=payment.id,
            merchant_reference=payment.merchant_reference,
            state=payment.state,
            amount=Total.of(payment.amount),
            authorised=Total.of(payment.authorised),
            captured=Total.of(payment.captured),
            refunded=Total.of(payment.refunded),
            decline_code=authorisation.code if authorisation.outcome.is_settled else None,
            next_action=NextAction(redirect_url=waiting) if waiting else None,
            attempts=[AttemptBody.of(attempt) for attempt in payment.attempts],
            created_at=payment.created_at,
            updated_at=payment.updated_at,
        )


class PaymentList(ResponseBody):
    """A page of payments, newest first."""

    payments: list[PaymentBody]
    next: Annotated[str | None, Field(description="Send it as `after` for the next page; null on the last.")]


def answer(payment: Payment, attempt: Attempt) -> Answer:
    """Return what the caller who asked for *attempt* is told; 202 if its outcome is unknown."""
    if attempt.outcome is Outcome.UNKNOWN:
        status = 202
    else:
        status = 201 if attempt.operation is Operation.AUTHORISE else 200
    return Answer(status, PaymentBody.of(payment).model_dump_json().encode())
