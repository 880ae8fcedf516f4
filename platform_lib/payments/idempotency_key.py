"""Reading the ``Idempotency-Key`` header, and telling whether two requests are the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from platform_lib import strict_json
from platform_lib.payments.problems import IdempotencyKeyInvalid, IdempotencyKeyMissing
from platform_lib.redaction import redact

IDEMPOTENCY_KEY_PATTERN = r"""^([!#-+\--:<-\[\]-~]{1,255}|"([!#-\[\]-~]|\\["\\]){1,255}")$"""
"""What `parse_key` accepts, as a regular expression for the description of an API."""

_LONGEST = 255
_FIRST_VISIBLE, _LAST_VISIBLE = "!", "~"
# A bare key with one of these may be two headers joined by a proxy, or half a quoted string.
_NOT_BARE = frozenset('",;\\')


def parse_key(header_values: Sequence[str]) -> str:
    r"""Return the key from every value that the request's ``Idempotency-Key`` header has.

    Shape: an RFC 8941 String (``"…"``, section 3.3.3) or the same characters bare; 1 to 255 visible ASCII
    characters either way, and both forms of one key are the same key. Keys are stored as they are, so
    one that `redact` would change, as it looks like a card number, an IBAN or a secret, is refused.
    Errors: `IdempotencyKeyMissing` without the header, `IdempotencyKeyInvalid` for anything else.

    Examples:
        >>> parse_key(['"order-1"']) == parse_key(["order-1"])
        True
    """
    if not header_values:
        raise IdempotencyKeyMissing(
            "Idempotency-Key: no such header; send a new key with each operation, the same with its retries"
        )
    if len(header_values) > 1:
        raise IdempotencyKeyInvalid(f"Idempotency-Key: sent {len(header_values)} times; send the header once")
    value = header_values[0].strip(" \t")
    key = _unquoted(value) if value.startswith('"') else _bare(value)
    if not 1 <= len(key) <= _LONGEST:
        raise IdempotencyKeyInvalid(f"Idempotency-Key: {len(key)} characters long; send 1 to {_LONGEST}")
    if not all(_FIRST_VISIBLE <= character <= _LAST_VISIBLE for character in key):
        raise IdempotencyKeyInvalid(
            "Idempotency-Key: holds a character that is not visible ASCII; a UUID is a good key"
        )
    if redact(key) != key:
        raise IdempotencyKeyInvalid(
            "Idempotency-Key: looks like a card number, an account number or a secret, and keys are stored; "
            "send a random one, such as a UUID"
        )
    return key


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """Return 32 bytes that are equal for equal requests.

    JSON bodies are compared by meaning: the order of members and white space do not matter. Anything that is
    not strict JSON is compared byte by byte.
    """
    try:
        kind, content = b"json", strict_json.dumps(strict_json.loads(body))
    except strict_json.StrictJsonError:
        kind, content = b"bytes", body
    digest = hashlib.sha256()
    # Each part is preceded by its length, so that no two requests can be cut differently into the same bytes.
    for part in (method.upper().encode(), path.encode("utf-8", "surrogatepass"), kind, content):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _bare(value: str) -> str:
    if _NOT_BARE.intersection(value):
        raise IdempotencyKeyInvalid(
            "Idempotency-Key: a bare key holds a quote, comma, semicolon or backslash; put it in quotes"
        )
    return value


def _unquoted(value: str) -> str:
    """Read an RFC 8941 String; no parameters may follow it."""
    characters: list[str] = []
    rest = iter(value[1:])
    for character in rest:
        if character == '"':
            if next(rest, None) is not None:
                raise IdempotencyKeyInvalid(
                    "Idempotency-Key: something follows the closing quote; send one key only"
                )
            return "".join(characters)
        if character == "\\":
            escaped = next(rest, "")
            if escaped not in {'"', "\\"}:
                raise IdempotencyKeyInvalid(
                    "Idempotency-Key: a backslash may only precede a quote or a backslash"
                )
            characters.append(escaped)
        else:
            characters.append(character)
    raise IdempotencyKeyInvalid(
        "Idempotency-Key: the closing quote is missing; close it or send the key bare"
    )
