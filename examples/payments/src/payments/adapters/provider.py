"""The card processor over HTTP: the only file that speaks the processor's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from platform_lib import InvalidRequest, Money, UnknownOutcome
from platform_lib.clients import HttpClient, Reply
from platform_lib.config import Secret
from platform_lib.redaction import redact
from platform_lib.strict_json import StrictJsonError, loads
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from payments.domain.attempt import Attempt, Operation, Outcome, Result

OPERATIONS = {
    "authorisation": Operation.AUTHORISE,
    "capture": Operation.CAPTURE,
    "void": Operation.VOID,
    "refund": Operation.REFUND,
}
OUTCOMES = {
    "approved": Outcome.SUCCEEDED,
    "declined": Outcome.DECLINED,
    "action_required": Outcome.ACTION_REQUIRED,
}
PATHS = {Operation.CAPTURE: "captures", Operation.VOID: "voids", Operation.REFUND: "refunds"}

OK, CREATED, NOT_FOUND, TIMED_OUT, CONFLICT, TOO_EARLY, TOO_MANY = 200, 201, 404, 408, 409, 425, 429

# What is stored, logged and put into paths is bounded, whoever sent it. Words may hold no secret, as they are
# stored and shown to merchants; ids and URLs have to stay exact.
Word = Annotated[str, Field(pattern=r"^[ -~]{1,255}$"), AfterValidator(lambda word: redact(word)[:255])]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:~-]{1,255}$")]
Url = Annotated[str, Field(pattern=r"^https?://[!-~]{1,2000}$")]


class ProviderAmount(BaseModel):
    """Money in the processor's words, which for amounts are ours."""

    model_config = ConfigDict(strict=True)

    minor_units: int
    currency: str


class ProviderOperation(BaseModel):
    """What the processor says about one operation; members that we do not use are ignored."""

    model_config = ConfigDict(strict=True)

    reference: Name
    kind: Literal["authorisation", "capture", "void", "refund"]
    status: Literal["approved", "declined", "action_required"]
    amount: ProviderAmount
    authorisation_id: Name
    decline_code: Word | None = None
    redirect_url: Url | None = None

    def result(self) -> Result:
        """Return the same in our words."""
        return Result(
            outcome=OUTCOMES[self.status],
            code=self.decline_code,
            reference=self.reference,
            operation=OPERATIONS[self.kind],
            amount=Money(self.amount.minor_units, self.amount.currency),
            authorisation=self.authorisation_id,
            redirect_url=self.redirect_url,
        )


class ProviderEvent(BaseModel):
    """A webhook of the processor: an operation has its final outcome."""

    model_config = ConfigDict(strict=True)

    data: ProviderOperation


class ProviderProblem(BaseModel):
    """Why the processor refused a request."""

    model_config = ConfigDict(strict=True)

    code: Word


def read_event(body: bytes) -> Result:
    """Return what an event of the processor says.

    Raises:
        InvalidRequest: the body is no event that we know.
    """
    try:
        return ProviderEvent.model_validate(loads(body)).data.result()
    except (StrictJsonError, ValueError) as error:
        raise InvalidRequest(
            "See errors for each place and what is expected there",
            errors=[{"location": "body", "expected": "an event of the provider"}],
        ) from error


@dataclass(slots=True)
class CardProvider:
    """The port `Provider`."""

    http: HttpClient
    api_key: Secret
    """Replaced when it is rotated."""

    async def authorise(self, attempt: Attempt, payment_token: str) -> Result:
        """Ask to hold the amount."""
        body: dict[str, object] = {
            "reference": str(attempt.id),
            "amount": _amount(attempt.amount),
            "token": payment_token,
        }
        return await self._operate(attempt, "/v1/authorisations", body)

    async def change(self, attempt: Attempt, authorisation: str) -> Result:
        """Ask for a capture, void or refund."""
        body: dict[str, object] = {"reference": str(attempt.id)}
        if attempt.operation is not Operation.VOID:
            body["amount"] = _amount(attempt.amount)
        return await self._operate(
            attempt, f"/v1/authorisations/{authorisation}/{PATHS[attempt.operation]}", body
        )

    async def look_up(self, reference: UUID) -> Result | None:
        """Ask what became of an attempt."""
        reply = await self.http.request(
            "GET", f"/v1/operations/{reference}", headers=self._headers(), operation="look up at provider"
        )
        if reply.status == NOT_FOUND:
            return None
        return _result(reply)

    async def _operate(self, attempt: Attempt, path: str, body: dict[str, object]) -> Result:
        reply = await self.http.request(
            "POST",
            path,
            json=body,
            headers=self._headers(),
            idempotency_key=str(attempt.id),
            operation=f"{attempt.operation} at provider",
        )
        if reply.status in {OK, CREATED}:
            return _result(reply)
        if reply.status == TOO_MANY:
            return Result.failed("rate_limited")
        if reply.status in {TIMED_OUT, CONFLICT, TOO_EARLY}:
            # Not a "no": an earlier request with this reference may have been taken.
            return Result.unknown(f"http_{reply.status}")
        return Result.failed(_code(reply))

    def _headers(self) -> dict[str, str]:
        # Revealed for each call, so that a rotated key is used from the next call on.
        return {"Authorization": f"Bearer {self.api_key.reveal()}"}


def _amount(money: Money) -> dict[str, object]:
    return {"minor_units": money.minor_units, "currency": money.currency}


def _result(reply: Reply) -> Result:
    if reply.status not in {OK, CREATED}:
        raise UnknownOutcome("provider", f"http_{reply.status}")
    try:
        return ProviderOperation.model_validate(reply.json()).result()
    except ValueError as error:
        raise UnknownOutcome("provider", "malformed_reply") from error


def _code(reply: Reply) -> str:
    """Return the problem code of a refusal, so that support reads the processor's own reason."""
    try:
        return ProviderProblem.model_validate(reply.json()).code
    except (UnknownOutcome, ValidationError):
        return f"provider_refused_{reply.status}"
