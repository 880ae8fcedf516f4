"""API keys: their form, how they are made, and what of them is stored.

``pk_live_<id>_<secret>``: the id (16 hexadecimal digits) is public and names the key in logs and support; the
secret is 256 random bits in base64url. Only the SHA-256 of the whole key is stored: a slow hash protects
passwords that people choose, and nobody guesses 256 random bits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

_id_bytes, _secret_bytes = 8, 32
_key = re.compile(r"(?P<id>pk_(?:live|test)_[0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_entry = re.compile(
    r"(?P<merchant>[a-z0-9_-]{1,64}):(?P<id>pk_(?:live|test)_[0-9a-f]{16}):(?P<hash>[0-9a-f]{64})", re.ASCII
)
_merchant = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is known of a key: nothing from which it could be made again.

    Attributes:
        id: its public part, ``pk_live_…``.
        merchant_id: whose it is.
        hash: 64 hexadecimal digits, the SHA-256 of the whole key.
    """

    id: str
    merchant_id: str
    hash: str

    def __str__(self) -> str:
        """Return the entry for the settings, ``merchant:id:hash``."""
        return f"{self.merchant_id}:{self.id}:{self.hash}"

    @classmethod
    def parse(cls, entry: str) -> StoredKey:
        """Return the key that ``merchant:id:hash`` describes.

        Raises:
            ValueError: it has another form; the message does not repeat it, for it may be the key itself.
        """
        match = _entry.fullmatch(entry.strip())
        if match is None:
            raise ValueError(
                "an API key's entry is not merchant:pk_live_<id>:<SHA-256>; "
                "take the line that `python -m platform_lib.security new-key` prints"
            )
        return cls(match["id"], match["merchant"], match["hash"])

    def matches(self, key: str) -> bool:
        """Return whether *key* is this one; takes the same time wherever they differ."""
        return hmac.compare_digest(self.hash.encode(), hash_of(key).encode())


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `key` is shown to its owner once and stored nowhere."""

    key: str = field(repr=False)
    stored: StoredKey


def new_key(
    merchant_id: str,
    *,
    mode: Literal["live", "test"] = "live",
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> NewKey:
    """Make a key for *merchant_id*; *random* gives so many bytes that nobody can guess.

    Raises:
        ValueError: the merchant's id is not 1 to 64 of ``a-z 0-9 _ -``.
    """
    if not _merchant.fullmatch(merchant_id):
        raise ValueError("the merchant's id is not 1 to 64 of a-z, 0-9, _ and -; give the id, not the name")
    public_bytes, secret_bytes = random(_id_bytes), random(_secret_bytes)
    public = f"pk_{mode}_{public_bytes.hex()}"
    key = f"{public}_{base64.urlsafe_b64encode(secret_bytes).decode().rstrip('=')}"
    return NewKey(key, StoredKey(public, merchant_id, hash_of(key)))


def hash_of(key: str) -> str:
    """Return what is stored of *key*: its SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def public_id(key: str) -> str | None:
    """Return the public part of *key*; None if it does not have the form of a key."""
    match = _key.fullmatch(key)
    return match["id"] if match else None
