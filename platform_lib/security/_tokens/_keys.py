"""The public keys of an issuer, by their ids (JWK sets, RFC 7517)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_lib import strict_json
from platform_lib.errors import PlatformError

if TYPE_CHECKING:
    from joserfc.jwk import Key

    from platform_lib.security._tokens._jose import Signatures

_most_keys = 100
_fewest_bits, _most_bits = 2048, 8192  # NIST SP 800-131A; beyond the other a signature takes long to verify
_kinds = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_curves = {"EC": "P-256", "OKP": "Ed25519"}
_renamed = {"Ed25519": "EdDSA"}  # the new name, RFC 9864
_algorithms = [None, *_kinds, *_renamed]
# Only these are taken from a JWK: no private part, no certificate, no address of either.
_members = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}


class KeysUnusable(PlatformError):
    """What the issuer published is no JWK set with a key that could verify a token."""


@dataclass(frozen=True, slots=True)
class _Published:
    kid: str | None
    kind: str
    algorithm: str | None
    key: Key


class PublicKeys:
    """The keys of one JWK set that can verify a token's signature."""

    def __init__(self, keys: list[_Published]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    @classmethod
    def parse(cls, body: bytes, signatures: Signatures) -> PublicKeys:
        """Read a JWK set; keys of other kinds and uses are passed over (RFC 7517 section 5).

        Raises:
            KeysUnusable: it is no JWK set, or no key in it will do.
        """
        try:
            document = strict_json.loads(body, allow_floats=True)
        except strict_json.StrictJsonError as error:
            raise KeysUnusable(f"the issuer's keys are no JSON: {error.reason}") from None
        keys = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(keys, list) or len(keys) > _most_keys:
            raise KeysUnusable(f"the issuer's keys are no JWK set of at most {_most_keys} keys")
        found = [key for key in (_published(member, signatures) for member in keys) if key is not None]
        if not found:
            raise KeysUnusable(f"none of the issuer's {len(keys)} keys can verify a signature")
        return cls(found)

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the one key with this id for *algorithm*; None if there is none, or more than one.

        A token without an id finds a key only where there is no choice.
        """
        fitting = [
            published.key
            for published in self._keys
            if published.kind == _kinds[algorithm]
            and published.algorithm in {None, algorithm}
            and kid in {None, published.kid}
        ]
        return fitting[0] if len(fitting) == 1 else None


def _published(member: Any, signatures: Signatures) -> _Published | None:
    """Return the key that *member* of a JWK set describes; None if it is not for us."""
    if not isinstance(member, dict) or not _is_for_us(member):
        return None
    kind = member["kty"]
    try:
        if kind == "RSA" and not _fewest_bits <= _bits(member["n"]) <= _most_bits:
            return None
        key = signatures.public_key({"kty": kind, **{name: member[name] for name in _members[kind]}})
    except signatures.errors:
        return None
    algorithm: str | None = member.get("alg")
    return _Published(member.get("kid"), kind, _renamed.get(algorithm or "", algorithm), key)


def _is_for_us(member: dict[str, Any]) -> bool:
    kind, operations = member.get("kty"), member.get("key_ops", ["verify"])
    return (
        isinstance(kind, str)
        and kind in _members
        and all(isinstance(member.get(name), str) for name in _members[kind])
        and member.get("crv") == _curves.get(kind)
        and member.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(member.get("kid"), str | None)
        and member.get("alg") in _algorithms
    )


def _bits(modulus: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big").bit_length()
