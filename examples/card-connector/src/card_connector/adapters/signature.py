"""The signature of the processor's webhooks: `t=<seconds>,v1=<hex>` over `<seconds>.<body>`, HMAC-SHA256."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from platform_lib import Clock
from platform_lib.config import Secret
from platform_lib.payments import InvalidWebhook, WebhookSignatureMismatch

HEADER = "kestrel-signature"
SIGNED = re.compile(r"t=(?P<seconds>[0-9]{1,11}),v1=(?P<digest>[0-9a-f]{64})")
TOLERANCE_SECONDS = 300


def signature(secret: str, seconds: int, body: bytes) -> str:
    """Return what stands in the header of a webhook with exactly these *body* bytes."""
    return f"t={seconds},v1={_digest(secret, str(seconds), body)}"


@dataclass(slots=True)
class ProcessorSignature:
    """Tells true webhooks from others."""

    secret: Secret
    """Every version of it is accepted; replaced when it is rotated."""
    clock: Clock

    def verify(self, header: str, body: bytes) -> None:
        """Return if *body*, the raw bytes as received, is truly from the processor.

        Raises:
            InvalidWebhook: the header is malformed, or signed too long ago or ahead.
            WebhookSignatureMismatch: no known secret made the signature.
        """
        signed = SIGNED.fullmatch(header)
        if signed is None:
            raise InvalidWebhook(f"{HEADER}: not t=<seconds>,v1=<64 hexadecimal digits>")
        if abs(self.clock.now().timestamp() - int(signed["seconds"])) > TOLERANCE_SECONDS:
            raise InvalidWebhook(f"{HEADER}: signed {TOLERANCE_SECONDS} s ago or ahead; check the clocks")
        # No short cut: every version is compared, so that time tells nothing about which one came close.
        matches = [
            hmac.compare_digest(_digest(version, signed["seconds"], body), signed["digest"])
            for version in self.secret.all_versions()
        ]
        if not any(matches):
            raise WebhookSignatureMismatch(f"{HEADER}: of another secret or body; check the secret")


def _digest(secret: str, seconds: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
