"""Take secrets and card data out of texts before they are stored or sent, not when they are shown.

What is masked: card numbers, IBANs, ``Authorization`` headers and bearer tokens, JSON web tokens, private
keys, ``whsec_…`` and ``sk_…`` keys, the secret part of our own API keys, passwords in URLs, and what stands
behind names such as ``password=``.
Everything here fails closed: what cannot be looked at is erased.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from platform_lib._card_numbers import mask_card_numbers
from platform_lib._ibans import mask_ibans

__all__ = ["mask_url", "redact", "redact_mapping"]

erased = "[redacted]"
_masked_password = "***"  # noqa: S105  # the mask itself
_deepest = 20

_names_of_secrets = (
    r"pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|(?:private|secret|signing|encryption|access)[_-]?key"
    r"|(?:access|refresh|id|auth|payment|session|bearer)[_-]?token|credentials?|set-cookie|cookie"
    r"|cvv2?|cvc2?|card[_-]?number|track[_-]?[12]"
)
# Every name above holds one of these; looking for them first keeps ordinary log lines cheap.
_hints = (
    "pass",
    "pwd",
    "secret",
    "key",
    "token",
    "credential",
    "cookie",
    "cv",
    "card",
    "track",
    "auth",
    "bearer",
)
_secret_key = re.compile(rf"(?:{_names_of_secrets}|token|authorization|pan|iban|pin)s?\Z", re.IGNORECASE)

# A name, perhaps in quotes, an equals sign or a colon, and the value: quoted, quoted inside a quoted text, a
# JSON constant, or else everything up to the next blank, since a password may hold any mark.
_named = re.compile(
    rf"""(?P<name>(?:{_names_of_secrets})\\?["']?\s*(?:=>|[=:])\s*)(?!\*\*\*(?:[&\s"';#]|\Z))"""
    r"""(?:\\"[^"\\]*+\\"|"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|(?:null|None|true|false|\d+)(?=[,}\])])|\S++)""",
    re.IGNORECASE,
)
_authorization = re.compile(
    r"""(?P<name>authorization\\?["']?\s*(?:=>|[=:])\s*\\?["']?)"""
    r"""(?:(?:digest|aws4[\w-]*|signature)\s[^\r\n]+|(?:[a-z]+\s+)?[^\s"',;\\]+)""",
    re.IGNORECASE,
)
_bearer = re.compile(r"(?P<name>\bbearer\s+)(?!(?:tokens?|auth\w*)\b)[^\s\"',;\\]+", re.IGNORECASE)
_dotted_word = re.compile(r"[\w.-]++", re.ASCII)
_private_key = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_prefixed = re.compile(
    r"(?P<name>whsec_|(?:sk|rk)_(?:live|test)_|pk_(?:live|test)_[0-9a-f]{16}_|(?<![0-9A-Za-z])(?:sk|rk)_(?=[\w+/=-]{8}))[\w+/=-]+"
)

# A list of URLs is cut at its commas.
_url = re.compile(
    r"""(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>(?:[^\s"'<>,]|,(?![a-z][a-z0-9+.-]*://))+)""", re.IGNORECASE
)
_port = re.compile(r"[^:/?#@]*:\d{1,5}(?:[/?#,]|\Z)")
_secret_parameter = re.compile(
    rf"(?P<name>[?&;](?:\w*(?:{_names_of_secrets}|token|sig|signature))=)[^&;#\s\"'<>]+", re.IGNORECASE
)
# With these schemes a user without a password is a token.
_token_schemes = frozenset({"http", "https", "nats", "tls", "ws", "wss"})
# With these an @ in the path is nothing unusual.
_path_schemes = frozenset({"http", "https", "ws", "wss"})


def redact(text: str) -> str:
    """Return *text* without card numbers, IBANs, tokens, keys and passwords.

    Guarantee: never raises; what is no text, or cannot be looked at, comes back as ``[redacted]``.
    """
    try:
        return _redacted(text)
    except Exception:  # noqa: BLE001  # a fault here must cost the text and neither the request nor the secret
        return erased


def redact_mapping(m: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of *m*, made of plain JSON types, with every text in it redacted.

    What stands under a name such as ``password`` or ``api_key`` is erased whatever it is.
    Guarantee: never raises.
    """
    try:
        return {redact(str(name)): _redacted_value(name, value, 0) for name, value in m.items()}
    except Exception:  # noqa: BLE001  # the same as in redact
        return {erased: erased}


def mask_url(url: str) -> str:
    """Return *url*, or a text with URLs in it, with passwords in userinfo and query replaced by ``***``."""
    try:
        return _url.sub(_without_password, url)
    except Exception:  # noqa: BLE001  # the same as in redact
        return erased


def _redacted(text: str) -> str:
    if "://" in text:
        text = _url.sub(_without_password, text)
    if "-----BEGIN" in text:
        text = _private_key.sub(erased, text)
    lowered = text.lower()
    if any(hint in lowered for hint in _hints):
        text = _authorization.sub(_keep_name, text)
        text = _bearer.sub(_keep_name, text)
        text = _named.sub(_keep_name, text)
    if "sk_" in text or "rk_" in text or "pk_" in text or "whsec_" in text:
        text = _prefixed.sub(_keep_name, text)
    if "eyJ" in text:
        text = _dotted_word.sub(_without_json_web_token, text)
    return mask_card_numbers(mask_ibans(text))


def _keep_name(match: re.Match[str]) -> str:
    return match["name"] + erased


def _without_json_web_token(match: re.Match[str]) -> str:
    word = match.group()
    start = word.find("eyJ")  # how base64 writes the beginning of a JSON object
    return word if start < 0 or "." not in word[start:] else word[:start] + erased


def _redacted_value(name: object, value: Any, depth: int) -> Any:
    if depth > _deepest or (isinstance(name, str) and _secret_key.search(name)):
        return erased
    match value:
        case None | bool() | float() | UUID():
            return value
        case int() | Decimal():  # a card number may have been read as a number
            redacted = redact(str(value))
            return value if redacted == str(value) else redacted
        case Mapping():
            return {
                redact(str(inner)): _redacted_value(inner, item, depth + 1) for inner, item in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_redacted_value(None, item, depth + 1) for item in value]
    return erased if isinstance(value, bytes | bytearray | memoryview) else redact(str(value))


def _without_password(match: re.Match[str]) -> str:
    scheme, rest = match["scheme"], match["rest"]
    at = _end_of_userinfo(scheme.lower(), rest)
    if at is not None:
        user, colon, _ = rest[:at].partition(":")
        if colon:
            rest = f"{user}:{_masked_password}{rest[at:]}"
        elif user and scheme.lower() in _token_schemes:
            rest = f"{_masked_password}{rest[at:]}"
    return f"{scheme}://" + _secret_parameter.sub(rf"\g<name>{_masked_password}", rest)


def _end_of_userinfo(scheme: str, rest: str) -> int | None:
    """Return where the @ stands that ends the userinfo at the beginning of *rest*.

    A password that was not percent-encoded may hold ``/``, ``?``, ``#`` and ``@``: with a password the last @
    counts, even if some of the path is lost with it.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if ":" not in authority.partition("@")[0]:
        return authority.rindex("@") if "@" in authority else None
    if "@" not in rest or ("@" not in authority and scheme in _path_schemes and _port.match(rest)):
        return None
    return rest.rindex("@")
