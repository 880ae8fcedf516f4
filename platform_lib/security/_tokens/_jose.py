"""The library that does the cryptography, loaded by the services that take tokens and by no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_lib.errors import PlatformError

if TYPE_CHECKING:
    from joserfc.jwk import Key

_largest = 16 * 1024


class TokensNotInstalled(PlatformError):
    """The service takes tokens, and what verifies them is not installed."""


def load() -> Signatures:
    """Load joserfc; raises `TokensNotInstalled` where it is missing."""
    try:
        return Signatures()
    except ModuleNotFoundError as error:
        raise TokensNotInstalled(
            f"access tokens: {error.name} is not installed; depend on paypath[service,jwt]"
        ) from None


class Signatures:
    """Imports public keys and verifies signatures with them."""

    def __init__(self) -> None:
        from joserfc import jwk, jws  # noqa: PLC0415  # a sixth of a second, for those alone who need it
        from joserfc.errors import JoseError  # noqa: PLC0415  # the same

        self._jwk, self._jws = jwk, jws
        self.errors: tuple[type[Exception], ...] = (JoseError, ValueError, TypeError)

        class Registry(jws.JWSRegistry):
            max_header_length = max_payload_length = max_signature_length = _largest

            def get_alg(self, name: str) -> Any:
                # The curve stands in the key; joserfc takes the two names apart since RFC 9864.
                return self.algorithms["Ed25519"] if name == "EdDSA" else super().get_alg(name)

        self._registry = Registry

    def public_key(self, members: dict[str, str]) -> Key:
        """Return the key of a JWK's public *members*; raises one of `errors`."""
        return self._jwk.import_key(members, members["kty"])  # type: ignore[call-overload, no-any-return]  # by literal

    def payload(self, token: str, key: Key, algorithm: str) -> bytes:
        """Return what *token* carries if *key* signed it with *algorithm*; raises one of `errors`."""
        # Of headers that are not understood none may change what is verified; `crit` says which must be.
        registry = self._registry(algorithms=[algorithm], strict_check_header=False)
        return bytes(self._jws.deserialize_compact(token, key, registry=registry).payload)
