"""The shapes of the sandbox's HTTP API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from platform_lib.money import Money, is_currency
from platform_lib.sandbox.ledger import (
    Authorisation,
    AuthorisationStatus,
    ChallengeOutcome,
    Operation,
    OperationStatus,
)
from platform_lib.sandbox.tokens import Kind
from platform_lib.sandbox.webhooks import Delivery

_largest_minor_units = 10**12


def _live_currency(code: str) -> str:
    if not is_currency(code):
        msg = "not a live ISO 4217 currency code"
        raise ValueError(msg)
    return code


Reference = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="The caller's own name of the operation; the same reference is done once.",
        examples=["order-1:authorise"],
    ),
]
CurrencyCode = Annotated[
    str, AfterValidator(_live_currency), Field(description="ISO 4217 code, such as EUR.", examples=["EUR"])
]


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Amount(_Shape):
    """Money: an integer of minor units and a currency."""

    minor_units: int = Field(
        gt=0, le=_largest_minor_units, description="Cents for EUR, yen for JPY.", examples=[1250]
    )
    currency: CurrencyCode

    def money(self) -> Money:
        """Return the amount as the platform's money."""
        return Money(self.minor_units, self.currency)


class AuthorisationRequest(_Shape):
    """Ask to reserve an amount."""

    reference: Reference
    amount: Amount
    token: str = Field(max_length=64, description="A test token.", examples=["tok_approved"])


class AmountRequest(_Shape):
    """Ask to capture or refund an amount."""

    reference: Reference
    amount: Amount


class VoidRequest(_Shape):
    """Ask to release what is reserved."""

    reference: Reference


class ChallengeAnswer(_Shape):
    """What the customer does in the 3-D Secure challenge."""

    outcome: ChallengeOutcome


class ClockAdvance(_Shape):
    """How far the manual clock moves."""

    seconds: float = Field(ge=0, strict=False, description="Seconds to move on.", examples=[5])


class WebhookTarget(_Shape):
    """Where webhooks go from now on."""

    url: str | None = Field(description="The receiver's address; null sends none.")


class AmountDocument(BaseModel):
    """Money in an answer; zero is possible."""

    minor_units: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> AmountDocument:
        """Return the document of *money*."""
        return cls(minor_units=money.minor_units, currency=money.currency)


class OperationDocument(BaseModel):
    """One operation and what came of it."""

    id: str = Field(examples=["op_0197c0de7000700080000000000000a1"])
    reference: str
    kind: Kind
    status: OperationStatus
    amount: AmountDocument
    authorisation_id: str = Field(examples=["auth_0197c0de7000700080000000000000a0"])
    decline_code: str | None
    redirect_url: str | None = Field(description="Where the customer answers the challenge.")
    created_at: str = Field(examples=["2026-01-01T00:00:00.000Z"])

    @classmethod
    def of(cls, operation: Operation, base_url: str) -> OperationDocument:
        """Return the document of *operation* as the sandbox at *base_url* shows it."""
        waiting = operation.status == "action_required"
        return cls(
            id=operation.id,
            reference=operation.reference,
            kind=operation.kind,
            status=operation.status,
            amount=AmountDocument.of(operation.amount),
            authorisation_id=operation.authorisation_id,
            decline_code=operation.decline_code,
            redirect_url=f"{base_url}/v1/challenges/{operation.authorisation_id}" if waiting else None,
            created_at=timestamp(operation.created_at),
        )


class OperationsDocument(BaseModel):
    """A list of operations, oldest first."""

    operations: list[OperationDocument]


class AuthorisationDocument(BaseModel):
    """An authorisation with its sums and its operations."""

    id: str
    amount: AmountDocument
    captured: AmountDocument
    refunded: AmountDocument
    status: AuthorisationStatus
    operations: list[OperationDocument]

    @classmethod
    def of(cls, authorisation: Authorisation, base_url: str) -> AuthorisationDocument:
        """Return the document of *authorisation* as the sandbox at *base_url* shows it."""
        return cls(
            id=authorisation.id,
            amount=AmountDocument.of(authorisation.amount),
            captured=AmountDocument.of(authorisation.captured),
            refunded=AmountDocument.of(authorisation.refunded),
            status=authorisation.status,
            operations=[OperationDocument.of(operation, base_url) for operation in authorisation.operations],
        )


class AttemptDocument(BaseModel):
    """One try to deliver a webhook."""

    at: str
    status: int | None
    error: str | None


class DeliveryDocument(BaseModel):
    """One webhook on its way."""

    event_id: str
    type: str
    reference: str
    status: str
    attempts: list[AttemptDocument]

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryDocument:
        """Return the document of *delivery*."""
        return cls(
            event_id=delivery.event_id,
            type=delivery.type,
            reference=delivery.reference,
            status=delivery.status,
            attempts=[
                AttemptDocument(at=timestamp(attempt.at), status=attempt.status, error=attempt.error)
                for attempt in delivery.attempts
            ],
        )


class StateDocument(BaseModel):
    """Everything that the sandbox knows."""

    now: str = Field(description="The time on the sandbox's clock.")
    authorisations: list[AuthorisationDocument]
    webhooks: list[DeliveryDocument]


def timestamp(moment: datetime) -> str:
    """Return *moment* as RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def webhook_event(event_id: str, operation: Operation, base_url: str) -> dict[str, Any]:
    """Return the body of the webhook that tells of a settled *operation*."""
    return {
        "type": f"operation.{operation.status}",
        "id": event_id,
        "data": OperationDocument.of(operation, base_url).model_dump(),
    }
