"""What a caller is told when an idempotency key or a webhook cannot be taken.

Source: RFC 9457; status codes of the IETF draft "The Idempotency-Key HTTP Header Field" (draft-07).
"""

from __future__ import annotations

from typing import Any

from platform_lib.errors import Problem


class IdempotencyKeyMissing(Problem):
    """The operation needs an ``Idempotency-Key`` header and the request has none."""

    status = 400
    code = "idempotency_key_missing"
    title = "The Idempotency-Key header is missing"


class IdempotencyKeyInvalid(Problem):
    """The ``Idempotency-Key`` header is not one key of 1 to 255 visible ASCII characters, or holds a secret.

    Keys are stored: what looks like a card number, an account number, a token or a password is refused.
    """

    status = 400
    code = "idempotency_key_invalid"
    title = "The Idempotency-Key header is not valid"


class IdempotencyKeyReused(Problem):
    """The key was used before with another request; the first one's answer belongs to the first one only."""

    status = 422
    code = "idempotency_key_reused"
    title = "The idempotency key was already used for another request"


class IdempotencyKeyInUse(Problem):
    """The first request with this key has no answer yet; the same request can be sent again later."""

    status = 409
    code = "idempotency_key_in_use"
    title = "A request with this idempotency key is being processed"
    retryable = True

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int = 1, **extensions: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)}, **extensions)


class InvalidWebhook(Problem):
    """The message does not have the form of a signed webhook, or was not sent just now."""

    status = 400
    code = "invalid_webhook"
    title = "The webhook is not valid"


class WebhookSignatureMismatch(Problem):
    """The message was not signed with a secret that this receiver knows, or was changed on its way."""

    status = 401
    code = "webhook_signature_mismatch"
    title = "The webhook signature does not match"
