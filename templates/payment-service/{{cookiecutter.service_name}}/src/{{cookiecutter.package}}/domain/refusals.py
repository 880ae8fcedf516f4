"""Business "no"s: understood, and refused for a reason that the merchant can act on."""

from platform_lib import NotFound, Refusal


class PaymentNotFound(NotFound):
    """This merchant has no such payment; another merchant's payment is answered the same way."""

    code = "payment_not_found"
    title = "Payment not found"


class OperationInProgress(Refusal):
    """An earlier operation on the payment has no outcome yet: money moves one step at a time."""

    code = "operation_in_progress"
    title = "An operation on this payment is still in progress"
    retryable = True


class NotCapturable(Refusal):
    """Only an authorised payment can be captured."""

    code = "payment_not_capturable"
    title = "The payment cannot be captured"


class CaptureExceedsAuthorisation(Refusal):
    """A capture takes at most what is authorised and not captured yet."""

    code = "capture_exceeds_authorisation"
    title = "The capture exceeds the authorisation"


class NotVoidable(Refusal):
    """Only an authorised payment of which nothing was captured can be voided."""

    code = "payment_not_voidable"
    title = "The payment cannot be voided"


class NotRefundable(Refusal):
    """Only captured money can be returned."""

    code = "payment_not_refundable"
    title = "The payment cannot be refunded"


class RefundExceedsCapture(Refusal):
    """A refund returns at most what is captured and not returned yet."""

    code = "refund_exceeds_capture"
    title = "The refund exceeds the captured amount"


class CurrencyDiffers(Refusal):
    """Every operation on a payment is in the currency of the payment."""

    code = "currency_differs"
    title = "The currency differs from the payment's"
