"""The card processor over HTTP: the only file, with `amounts.py`, that speaks the processor's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

from platform_lib import InvalidRequest, Money, NotFound, Problem, UnknownOutcome
from platform_lib.clients import HttpClient, Reply
from platform_lib.config import Secret
from platform_lib.redaction import redact
from platform_lib.strict_json import StrictJsonError, loads
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError

from {{ cookiecutter.package }}.adapters import amounts
from {{ cookiecutter.package }}.domain.operation import Event, Kind, Operation, Status
from {{ cookiecutter.package }}.domain.refusals import (
    CaptureExceedsAuthorisation,
    CurrencyDiffers,
    NotCapturable,
    NotRefundable,
    NotVoidable,
    OperationRefused,
    ProcessorKeyRefused,
    RateLimited,
    ReferenceReused,
    RefundExceedsCapture,
)

KINDS = {"AUTH": Kind.AUTHORISATION, "CAPTURE": Kind.CAPTURE, "REVERSAL": Kind.VOID, "REFUND": Kind.REFUND}
STATUSES = {
    "APPROVED": Status.APPROVED,
    "DECLINED": Status.DECLINED,
    "CHALLENGE": Status.ACTION_REQUIRED,
}
PATHS = {Kind.CAPTURE: "captures", Kind.VOID: "reversals", Kind.REFUND: "refunds"}
# ISO 8583 response codes, and the processor's own; one that is not here keeps its number.
DECLINES = {
    "05": "do_not_honour",
    "14": "invalid_card_number",
    "41": "lost_card",
    "43": "stolen_card",
    "51": "insufficient_funds",
    "54": "expired_card",
    "61": "amount_limit_exceeded",
    "91": "issuer_unavailable",
    "K1": "authentication_failed",
    "K2": "authorisation_expired",
    "K3": "refund_not_permitted",
}
REFUSALS: dict[str, type[Problem]] = {
    "E1001": ProcessorKeyRefused,
    "E1004": NotFound,
    "E1009": ReferenceReused,
    "E1020": CurrencyDiffers,
    "E1021": CaptureExceedsAuthorisation,
    "E1022": RefundExceedsCapture,
    "E1023": NotCapturable,
    "E1024": NotRefundable,
    "E1025": NotVoidable,
}

OK, CREATED, TIMED_OUT, CONFLICT, TOO_EARLY, TOO_MANY = 200, 201, 408, 409, 425, 429
TRANSACTION_UPDATED = "TRANSACTION_UPDATED"

# What goes into ids, paths and logs is bounded, whoever sent it.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:-]{1,128}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,8}$"), AfterValidator(redact)]
Url = Annotated[str, Field(pattern=r"^https?://[!-~]{1,2000}$")]


class Transaction(BaseModel):
    """What the processor says about one operation; members that we do not use are ignored."""

    transactionId: Name  # noqa: N815  # the processor's name
    merchantRef: Name  # noqa: N815
    type: Literal["AUTH", "CAPTURE", "REVERSAL", "REFUND"]
    state: Literal["APPROVED", "DECLINED", "CHALLENGE"]
    value: str
    currencyCode: str  # noqa: N815
    parentId: Name | None = None  # noqa: N815
    responseCode: Code | None = None  # noqa: N815
    challengeUrl: Url | None = None  # noqa: N815
    createdAt: AwareDatetime  # noqa: N815

    def operation(self) -> Operation:
        """Return the same in the platform's words.

        Raises:
            ValueError: it cannot be said in them.
        """
        status = STATUSES[self.state]
        return Operation(
            id=f"op_{self.transactionId}",
            reference=self.merchantRef,
            kind=KINDS[self.type],
            status=status,
            amount=amounts.read(self.value, self.currencyCode),
            authorisation_id=self.parentId or self.transactionId,
            decline_code=_decline(self.responseCode) if status is Status.DECLINED else None,
            redirect_url=self.challengeUrl if status is Status.ACTION_REQUIRED else None,
            created_at=self.createdAt,
        )


class Transactions(BaseModel):
    """The answer to a search."""

    transactions: list[Transaction]


class ProcessorError(BaseModel):
    """Why the processor refused a request."""

    errorCode: Code  # noqa: N815


class Notification(BaseModel):
    """A webhook of the processor."""

    eventId: Name  # noqa: N815
    eventType: str  # noqa: N815
    transaction: Transaction | None = None


def read_event(body: bytes) -> Event | None:
    """Return what a webhook tells of; None if it is about something that does not concern us.

    Raises:
        InvalidRequest: the body is no webhook that we know.
    """
    try:
        notification = Notification.model_validate(loads(body))
        if notification.eventType != TRANSACTION_UPDATED or notification.transaction is None:
            return None
        return Event(id=notification.eventId, operation=notification.transaction.operation())
    except (StrictJsonError, ValueError) as error:
        raise InvalidRequest("The body is no event of the processor.") from error


@dataclass(slots=True)
class KestrelProcessor:
    """The port `Processor`, for the API that docs/processor.md describes."""

    http: HttpClient
    api_key: Secret
    """Replaced when it is rotated."""

    async def authorise(self, reference: str, amount: Money, token: str) -> Operation:
        """Ask to hold the amount."""
        body = {"merchantRef": reference, "type": "AUTH", "cardToken": token, **_value(amount)}
        return await self._operate("authorise", "/v2/transactions", reference, body)

    async def change(
        self, kind: Kind, authorisation_id: str, reference: str, amount: Money | None
    ) -> Operation:
        """Ask for a capture, void or refund."""
        body = {"merchantRef": reference, **(_value(amount) if amount else {})}
        path = f"/v2/transactions/{quote(authorisation_id, safe='')}/{PATHS[kind]}"
        return await self._operate(kind.value, path, reference, body)

    async def look_up(self, reference: str) -> Operation | None:
        """Search by our reference."""
        reply = await self.http.request(
            "GET",
            "/v2/transactions",
            params={"merchantRef": reference},
            headers=self._headers(),
            operation="look up at processor",
        )
        if reply.status != OK:
            raise UnknownOutcome("processor", f"http_{reply.status}")
        try:
            found = Transactions.model_validate(reply.json()).transactions
            return found[0].operation() if found else None
        except ValueError as error:
            raise UnknownOutcome("processor", "malformed_reply") from error

    async def _operate(self, name: str, path: str, reference: str, body: dict[str, str]) -> Operation:
        reply = await self.http.request(
            "POST",
            path,
            json=body,
            headers=self._headers(),
            idempotency_key=reference,
            operation=f"{name} at processor",
        )
        if reply.status not in {OK, CREATED}:
            raise _refusal(reply)
        try:
            return Transaction.model_validate(reply.json()).operation()
        except ValueError as error:
            raise UnknownOutcome("processor", "malformed_reply") from error

    def _headers(self) -> dict[str, str]:
        # Revealed for each call, so that a rotated key is used from the next call on.
        return {"X-Api-Key": self.api_key.reveal()}


def _value(money: Money) -> dict[str, str]:
    return {"value": amounts.written(money), "currencyCode": money.currency}


def _decline(response_code: str | None) -> str:
    return DECLINES.get(response_code or "", f"declined_{(response_code or 'unknown').lower()}")


def _refusal(reply: Reply) -> Exception:
    """Return what a reply below 500 that brings no transaction means."""
    try:
        code = ProcessorError.model_validate(reply.json()).errorCode
    except (UnknownOutcome, ValidationError):
        code = f"http_{reply.status}"
    if (known := REFUSALS.get(code)) is not None:
        return known()
    if reply.status == TOO_MANY:
        seconds = reply.headers.get("retry-after", "")
        return RateLimited(headers={"Retry-After": seconds if seconds.isdecimal() else "1"})
    if reply.status in {TIMED_OUT, CONFLICT, TOO_EARLY}:
        # Not a "no": an earlier request with this reference may have been taken.
        return UnknownOutcome("processor", f"http_{reply.status}")
    return OperationRefused(f"The processor refuses the operation ({code}).")
