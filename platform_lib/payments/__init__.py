"""What every payment needs: a key that makes a retry safe, and a signature that makes a webhook true."""

from platform_lib.payments._ddl import idempotency_ddl
from platform_lib.payments.idempotency import Answer, Claimed, IdempotencyKeys, Replay
from platform_lib.payments.idempotency_key import IDEMPOTENCY_KEY_PATTERN, fingerprint, parse_key
from platform_lib.payments.problems import (
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidWebhook,
    WebhookSignatureMismatch,
)
from platform_lib.payments.webhooks import VerifiedWebhook, WebhookSigner, WebhookVerifier

__all__ = [
    "IDEMPOTENCY_KEY_PATTERN",
    "Answer",
    "Claimed",
    "IdempotencyKeyInUse",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyMissing",
    "IdempotencyKeyReused",
    "IdempotencyKeys",
    "InvalidWebhook",
    "Replay",
    "VerifiedWebhook",
    "WebhookSignatureMismatch",
    "WebhookSigner",
    "WebhookVerifier",
    "fingerprint",
    "idempotency_ddl",
    "parse_key",
]
