"""The "no"s of the processor, each a problem document with its own code.

::

    Problem
    ├── ApiKeyRefused                       401
    ├── RateLimited                         429
    └── Refusal
        ├── ReferenceReused                 409
        ├── ChallengeNotPending             409
        ├── ClockRunsByItself               409
        ├── NothingToSignWith               409
        └── OperationRefused                422  the operation is illegal; nothing was done
            ├── UnknownToken
            ├── CurrencyDiffers
            ├── CaptureExceedsAuthorisation
            ├── RefundExceedsCapture
            ├── NotCapturable
            ├── NotRefundable
            └── NotVoidable
"""

from __future__ import annotations

from platform_lib.errors import Problem, Refusal


class ApiKeyRefused(Problem):
    """The request carries no API key, or another one than the sandbox was given."""

    status = 401
    code = "api_key_refused"
    title = "The API key is missing or wrong"

    def __init__(self) -> None:
        super().__init__(
            "Send `Authorization: Bearer <api key>` with the key that the sandbox was started with.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class RateLimited(Problem):
    """The caller sends too much; nothing was done."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    retryable = True

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__("Nothing was done.", headers={"Retry-After": str(retry_after_seconds)})


class ReferenceReused(Refusal):
    """The reference already belongs to an operation with other content."""

    code = "reference_reused"
    title = "The reference belongs to another operation"


class ChallengeNotPending(Refusal):
    """No challenge waits for this answer."""

    code = "challenge_not_pending"
    title = "No challenge waits for an answer"


class ClockRunsByItself(Refusal):
    """The sandbox runs on the machine's time, which nobody can move."""

    code = "clock_runs_by_itself"
    title = "The clock of this sandbox cannot be moved"


class NothingToSignWith(Refusal):
    """Webhooks are wanted, but the sandbox was started without a webhook secret."""

    code = "nothing_to_sign_with"
    title = "The sandbox has no webhook secret"


class OperationRefused(Refusal):
    """The operation is not legal in the present state; nothing was done."""

    status = 422
    code = "operation_refused"
    title = "The operation is not legal"


class UnknownToken(OperationRefused):
    """The payment token is none of the test tokens."""

    code = "unknown_token"
    title = "There is no such test token"


class CurrencyDiffers(OperationRefused):
    """The amount is in another currency than the authorisation."""

    code = "currency_differs"
    title = "The currency is not that of the authorisation"


class CaptureExceedsAuthorisation(OperationRefused):
    """More would be captured than was authorised."""

    code = "capture_exceeds_authorisation"
    title = "The captures would exceed the authorised amount"


class RefundExceedsCapture(OperationRefused):
    """More would be refunded than was captured."""

    code = "refund_exceeds_capture"
    title = "The refunds would exceed the captured amount"


class NotCapturable(OperationRefused):
    """The authorisation is declined, voided, or waits for the customer."""

    code = "not_capturable"
    title = "The authorisation cannot be captured"


class NotRefundable(OperationRefused):
    """Nothing was captured."""

    code = "not_refundable"
    title = "There is nothing to refund"


class NotVoidable(OperationRefused):
    """The authorisation is declined, voided, waits for the customer, or was captured."""

    code = "not_voidable"
    title = "The authorisation cannot be voided"
