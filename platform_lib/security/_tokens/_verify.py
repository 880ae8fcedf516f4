"""What a token must be and say, to the letter of RFC 7515, 7519, 8725 and 9068."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from platform_lib import strict_json
from platform_lib.security._problems import Forbidden
from platform_lib.security._tokens._caller import Caller

if TYPE_CHECKING:
    from platform_lib.security._tokens._settings import TokenSettings

_largest_token = 8 * 1024
_longest_text = 255
_token = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_merchant = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_access_token_types = {"at+jwt", "application/at+jwt"}  # RFC 9068 section 2.1, RFC 7515 section 4.1.9
_end_of_time = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class TokenRefused(Exception):
    """The token is not valid; *reason* is a stable word that says nothing of its content."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Header:
    """What is taken from a token's header: which key, and how it signed. Nothing else decides anything."""

    algorithm: str
    kid: str | None


def read_header(token: str, settings: TokenSettings) -> Header:
    """Return the header of *token*, which nobody has verified yet; raises `TokenRefused`.

    `jwk`, `jku`, `x5c` and `x5u` are ignored: a key that comes with a token proves nothing.
    """
    if len(token) > _largest_token or not _token.fullmatch(token):
        raise TokenRefused("malformed")
    header = _json(_decoded(token.partition(".")[0]))
    if header.get("alg") not in settings.algorithms:
        raise TokenRefused("algorithm")
    if "crit" in header or "b64" in header:  # extensions that must be understood: we understand none
        raise TokenRefused("critical_extension")
    kid, kind = header.get("kid"), header.get("typ")
    if not (kid is None or (isinstance(kid, str) and 0 < len(kid) <= _longest_text)):
        raise TokenRefused("malformed")
    if settings.profile == "rfc9068" and not (isinstance(kind, str) and kind.lower() in _access_token_types):
        raise TokenRefused("type")
    return Header(header["alg"], kid)


def read_claims(payload: bytes, settings: TokenSettings, now: datetime) -> Caller:
    """Return whom the verified *payload* speaks for.

    Raises:
        TokenRefused: it is not for this service, or not for this time.
        Forbidden: it is, but is not granted what every caller needs here.
    """
    claims = _json(payload)
    if claims.get("iss") != settings.issuer:
        raise TokenRefused("issuer")
    audience = claims.get("aud")
    if settings.audience not in (audience if isinstance(audience, list) else [audience]):
        raise TokenRefused("audience")
    expires = _times(claims, now.timestamp(), settings)
    by_rfc = settings.profile == "rfc9068"
    subject = _text(claims, "sub", required=True)
    client_id = _text(claims, "client_id", required=by_rfc)
    token_id = _text(claims, "jti", required=by_rfc)
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenRefused("malformed")
    caller = Caller(
        subject=subject or "",
        client_id=client_id,
        scopes=frozenset(scope.split(" ")) - {""},
        merchant_id=_merchant_of(claims, settings.merchant_claim),
        token_id=token_id,
        expires_at=datetime.fromtimestamp(expires, UTC),
        claims=MappingProxyType(claims),
    )
    caller.require(*settings.scopes)
    return caller


def _times(claims: dict[str, Any], now: float, settings: TokenSettings) -> float:
    """Check `exp`, `nbf` and `iat` (RFC 7519 section 4.1) and return the first."""
    expires = _seconds(claims, "exp")
    not_before = _seconds(claims, "nbf")
    issued = _seconds(claims, "iat")
    if expires is None or (issued is None and settings.profile == "rfc9068"):
        raise TokenRefused("malformed")
    if now >= expires + settings.leeway:
        raise TokenRefused("expired")
    if max(not_before or 0.0, issued or 0.0) > now + settings.leeway:
        raise TokenRefused("not_yet_valid")
    return expires


def _merchant_of(claims: dict[str, Any], claim: str) -> str | None:
    if not claim:
        return None
    merchant_id = claims.get(claim)
    if not isinstance(merchant_id, str) or not _merchant.fullmatch(merchant_id):
        raise Forbidden("The token names no merchant")
    return merchant_id


def _text(claims: dict[str, Any], name: str, *, required: bool) -> str | None:
    value = claims.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _longest_text:
        raise TokenRefused("malformed")
    return value


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _end_of_time:
        raise TokenRefused("malformed")
    return float(value)


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = strict_json.loads(body, allow_floats=True)
    except strict_json.StrictJsonError:
        raise TokenRefused("malformed") from None
    if not isinstance(document, dict):
        raise TokenRefused("malformed")
    return document


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise TokenRefused("malformed") from None
