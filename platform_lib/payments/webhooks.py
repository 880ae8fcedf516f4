"""Signed webhooks, in and out.

Source: Standard Webhooks 1.0.0, symmetric signatures (``v1``): HMAC-SHA256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from platform_lib.clock import Clock, SystemClock
from platform_lib.config import Secret
from platform_lib.errors import ConfigError
from platform_lib.payments.problems import InvalidWebhook, WebhookSignatureMismatch

_PREFIX = "whsec_"
_SHORTEST_KEY, _LONGEST_KEY = 24, 64  # bytes; Standard Webhooks, "Signature scheme"
# No full stop: it separates id, timestamp and body in what is signed, and would let them be cut elsewhere.
_ID = re.compile(r"[!-\-/-~]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[a-z0-9]{1,16},[!-~]{1,256}")
_MOST_SIGNATURES = 16


@dataclass(frozen=True)
class VerifiedWebhook:
    """What the headers of a true webhook say.

    Attributes:
        id: the same for every delivery of one message; give it to the inbox.
        timestamp: when this delivery was sent, UTC-aware.
    """

    id: str
    timestamp: datetime


class WebhookSigner:
    """Signs outgoing webhooks with every version of *secret*: each receiver changes over in its own time."""

    def __init__(self, secret: Secret) -> None:
        _check(secret)
        self._secret = secret

    def sign(self, id: str, timestamp: datetime, body: bytes) -> dict[str, str]:  # noqa: A002 - the standard's word
        """Return the three headers that go with exactly these *body* bytes.

        Errors: `ValueError` for an *id* that cannot be signed without ambiguity.
        """
        if not _ID.fullmatch(id):
            raise ValueError(
                f"webhook id: {id!r} is not 1 to 255 visible ASCII characters without a full stop"
            )
        seconds = str(int(timestamp.timestamp()))
        signatures = " ".join(_signature(key, id, seconds, body) for key in _keys(self._secret))
        return {"webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signatures}


class WebhookVerifier:
    """Verifies incoming webhooks against every version of *secret* that is still accepted."""

    def __init__(self, secret: Secret, clock: Clock | None = None, tolerance_seconds: float = 300) -> None:
        _check(secret)
        self._secret = secret
        self._clock = clock or SystemClock()
        self._tolerance_seconds = tolerance_seconds

    def rotate(self, secret: Secret) -> None:
        """Accept the versions of *secret* from now on, and no others."""
        _check(secret)
        self._secret = secret

    def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedWebhook:
        """Return what the headers say if *body*, the raw bytes as received, is truly from the sender.

        Guarantee: constant-time comparison; whatever the input, nothing is raised but the two errors.
        Errors: `InvalidWebhook` for a malformed message or one sent longer ago, or further ahead, than the
        tolerance; `WebhookSignatureMismatch` if no signature was made with a known secret.
        """
        id_, seconds, signatures = _read(headers)
        timestamp = datetime.fromtimestamp(int(seconds), UTC)
        age = (self._clock.now() - timestamp).total_seconds()
        if abs(age) > self._tolerance_seconds:
            raise InvalidWebhook(
                f"webhook-timestamp: {abs(age):.0f} s {'old' if age > 0 else 'ahead'}, "
                f"more than {self._tolerance_seconds:g} s; check the clocks, or send it anew"
            )
        expected = [_signature(key, id_, seconds, body).encode() for key in _keys(self._secret)]
        # No short cut: every pair is compared, so that time tells nothing about which one came close.
        matches = [hmac.compare_digest(one, other.encode()) for one in expected for other in signatures]
        if not any(matches):
            raise WebhookSignatureMismatch(
                "webhook-signature: of another secret or body; check the secret, and use the raw bytes"
            )
        return VerifiedWebhook(id=id_, timestamp=timestamp)


def _read(headers: Mapping[str, str]) -> tuple[str, str, list[str]]:
    id_ = _header(headers, "webhook-id")
    if not _ID.fullmatch(id_):
        raise InvalidWebhook("webhook-id: not 1 to 255 visible ASCII characters without a full stop")
    seconds = _header(headers, "webhook-timestamp")
    if not _TIMESTAMP.fullmatch(seconds):
        raise InvalidWebhook("webhook-timestamp: not whole seconds since 1970; send Unix time")
    signatures = _header(headers, "webhook-signature").split(" ")
    if len(signatures) > _MOST_SIGNATURES or not all(_SIGNATURE.fullmatch(one) for one in signatures):
        raise InvalidWebhook(
            f"webhook-signature: not 1 to {_MOST_SIGNATURES} items like v1,<base64> with a space between"
        )
    return id_, seconds, signatures


def _header(headers: Mapping[str, str], name: str) -> str:
    values = [value for header, value in headers.items() if header.lower() == name]
    if len(values) != 1:
        raise InvalidWebhook(f"{name}: sent {len(values)} times; send the header once")
    return values[0]


def _signature(key: bytes, id_: str, seconds: str, body: bytes) -> str:
    digest = hmac.new(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _check(secret: Secret) -> None:
    for version in secret.all_versions():
        if _key(version) is None:
            raise ConfigError(
                f"webhook secret: not {_PREFIX} and base64 of {_SHORTEST_KEY} to {_LONGEST_KEY} bytes; "
                "ask the sender for the secret in the form of Standard Webhooks"
            )


def _keys(secret: Secret) -> list[bytes]:
    """Decode the versions that can be used; one that was broken by a later rotation matches nothing."""
    return [key for version in secret.all_versions() if (key := _key(version)) is not None]


def _key(text: str) -> bytes | None:
    if not text.startswith(_PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX).encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return key if _SHORTEST_KEY <= len(key) <= _LONGEST_KEY else None
