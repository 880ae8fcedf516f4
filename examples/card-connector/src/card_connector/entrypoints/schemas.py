"""The shapes of requests and responses: those of every provider that payment services know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from platform_lib import Money
from platform_lib.frameworks.fastapi import RequestBody
from platform_lib.money import is_currency
from platform_lib.redaction import redact
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from card_connector.domain.operation import Kind, Operation, Status

MOST_MINOR_UNITS = 999_999_999_999


def _live_currency(code: str) -> str:
    if not is_currency(code):
        raise PydanticCustomError("expected", "a live ISO 4217 currency code")
    return code


def _nothing_secret(text: str) -> str:
    if redact(text) != text:
        raise PydanticCustomError("expected", "a value without card numbers, account numbers or secrets")
    return text


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Reference = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_:-]{1,128}$",
        description="The caller's own name of the operation; the same reference is done once.",
        examples=["0197c0de-7000-7000-8000-0000000000b1"],
    ),
    AfterValidator(_nothing_secret),
]


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


class NewAuthorisation(RequestBody):
    """What to hold. Cards are never sent here: the token stands for one."""

    reference: Reference
    amount: Amount
    token: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="From the processor's form.",
            examples=["tok_approved"],
        ),
        AfterValidator(_nothing_secret),
    ]


class NewChange(RequestBody):
    """What to capture or refund."""

    reference: Reference
    amount: Amount


class NewVoid(RequestBody):
    """What to release: all of it."""

    reference: Reference


class ResponseBody(BaseModel):
    """The base of a response's shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Total(ResponseBody):
    """An amount of money."""

    minor_units: Annotated[int, Field(ge=0, examples=[1250])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]


class OperationBody(ResponseBody):
    """One operation and what came of it."""

    id: str
    reference: str
    kind: Kind
    status: Status
    amount: Total
    authorisation_id: Annotated[str, Field(description="What a capture, void or refund names.")]
    decline_code: Annotated[str | None, Field(description="Why it was declined.")]
    redirect_url: Annotated[str | None, Field(description="Send the customer's browser here.")]
    created_at: Annotated[datetime, PlainSerializer(_rfc3339)]

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """Return *operation* in this shape."""
        return cls(
            id=operation.id,
            reference=operation.reference,
            kind=operation.kind,
            status=operation.status,
            amount=Total(minor_units=operation.amount.minor_units, currency=operation.amount.currency),
            authorisation_id=operation.authorisation_id,
            decline_code=operation.decline_code,
            redirect_url=operation.redirect_url,
            created_at=operation.created_at,
        )


def document(operation: Operation) -> dict[str, Any]:
    """Return *operation* as it stands in an event."""
    return OperationBody.of(operation).model_dump(mode="json")
