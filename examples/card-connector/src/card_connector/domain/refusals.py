"""How a request ends without an operation, each with its own code.

Payment services live by the difference: below 500 nothing was done, from 500 on nobody knows, so they ask
again by the reference.
"""

from platform_lib import Fault, Problem, Refusal


class ApiKeyRefused(Problem):
    """The request carries no API key, or another one than ours."""

    status = 401
    code = "api_key_refused"
    title = "The API key is missing or wrong"


class RateLimited(Problem):
    """The processor takes no more requests for now; nothing was done."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    retryable = True


class ReferenceReused(Refusal):
    """The reference already belongs to an operation with other content."""

    code = "reference_reused"
    title = "The reference belongs to another operation"


class OperationRefused(Refusal):
    """The processor refuses the operation; nothing was done."""

    status = 422
    code = "operation_refused"
    title = "The processor refuses the operation"


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


class ProcessorUnreachable(Problem):
    """The processor never saw the request; nothing was done."""

    status = 424
    code = "processor_unreachable"
    title = "The processor was not reached"
    retryable = True


class ProcessorKeyRefused(Problem):
    """The processor does not accept our key; nothing was done."""

    status = 424
    code = "processor_key_refused"
    title = "The processor does not accept the connector's key"


class OutcomeUnknown(Fault):
    """The processor's reply is lost or unreadable: it may have done the work. Never call this failed."""

    status = 504
    code = "outcome_unknown"
    title = "Only the processor knows the outcome; ask by the reference"


class ReceiverUnreachable(Fault):
    """The payment service did not take an event; the processor has to send it again."""

    status = 503
    code = "receiver_unreachable"
    title = "The event was not taken; send it again"
    retryable = True
