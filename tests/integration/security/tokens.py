"""An identity provider for tests: real keys, real signatures, and forgeries no library would make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

issuer, audience = "https://id.example.com/", "https://payments.example.com"
now = 1_767_225_600  # 2026-01-01T00:00:00Z, where a ManualClock starts

Key = RSAKey | ECKey | OKPKey


@cache
def rsa(name: str = "rsa", bits: int = 2048) -> RSAKey:
    """Return the RSA key of this name, which is made once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # one of them is too small on purpose
        return RSAKey.generate_key(bits, {"kid": name})


@cache
def ec(name: str = "ec", curve: str = "P-256") -> ECKey:
    """Return the elliptic key of this name, which is made once."""
    return ECKey.generate_key(curve, {"kid": name})


@cache
def okp(name: str = "okp", curve: Literal["Ed25519", "Ed448", "X25519"] = "Ed25519") -> OKPKey:
    """Return the Edwards key of this name, which is made once."""
    return OKPKey.generate_key(curve, {"kid": name})


def jwk(key: Key, **members: Any) -> dict[str, Any]:
    """Return *key* as the issuer publishes it; a member that is None is left out."""
    published = {**key.as_dict(private=False), **members}
    return {name: value for name, value in published.items() if value is not None}


def key_set(*keys: Mapping[str, Any]) -> bytes:
    """Return a JWK set."""
    return json.dumps({"keys": keys}).encode()


def claims(**changes: Any) -> dict[str, Any]:
    """Return what a good token says, with *changes*; what is None is left out."""
    said = {
        "iss": issuer,
        "aud": audience,
        "sub": "checkout",
        "client_id": "checkout",
        "jti": "token-1",
        "iat": now - 10,
        "nbf": now - 10,
        "exp": now + 300,
        "scope": "payments:read payments:write",
        "merchant": "acme",
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


def header(algorithm: str = "RS256", kid: str | None = "rsa", **members: Any) -> dict[str, Any]:
    """Return the header of a good token, with *members*; what is None is left out."""
    said = {"alg": algorithm, "kid": kid, "typ": "at+jwt", **members}
    return {name: value for name, value in said.items() if value is not None}


def segment(content: bytes | Mapping[str, Any]) -> str:
    """Return *content* as a segment of a token."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


_everything = list(jws.JWSRegistry.algorithms)


def sign(head: bytes | Mapping[str, Any], body: bytes | Mapping[str, Any], key: Key, algorithm: str) -> str:
    """Return a token whose signature is right, whatever its header says."""
    signed = f"{segment(head)}.{segment(body)}"
    name = "Ed25519" if algorithm == "EdDSA" else algorithm
    signature = jws.JWSRegistry(algorithms=_everything).get_alg(name).sign(signed.encode(), key)
    return f"{signed}.{segment(signature)}"


def good(**changes: Any) -> str:
    """Return a token that is accepted but for *changes* in its claims."""
    return sign(header(), claims(**changes), rsa(), "RS256")


def hmac_signed(head: Mapping[str, Any], body: Mapping[str, Any], secret: bytes) -> str:
    """Return a token signed with HS256 and *secret*."""
    signed = f"{segment(head)}.{segment(body)}"
    return f"{signed}.{segment(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
