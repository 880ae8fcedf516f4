"""Who a verified token speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from platform_lib.security._problems import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose token was verified.

    Attributes:
        subject: ``sub``: a service, or the user it acts for.
        client_id: ``client_id``: the service that asked for the token; None where the issuer names none.
        scopes: what it is granted (``scope``, RFC 6749 section 3.3).
        merchant_id: the merchant it speaks for; None where no claim names one.
        token_id: ``jti``, to find the token at the issuer; None where it has none.
        expires_at: ``exp``, UTC-aware.
        claims: everything the token says; strings from outside.
    """

    subject: str
    client_id: str | None
    scopes: frozenset[str]
    merchant_id: str | None
    token_id: str | None
    expires_at: datetime
    claims: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def require(self, *scopes: str) -> None:
        """Raise `Forbidden` unless all *scopes* are granted."""
        if not self.scopes.issuperset(scopes):
            needed = " ".join(scopes)
            raise Forbidden(f"The token is not granted what this needs: {needed}", scope=needed)
