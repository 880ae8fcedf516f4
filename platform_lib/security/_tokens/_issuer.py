"""The identity provider as a resource of the service."""

from __future__ import annotations

import random as system_random
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from platform_lib.clock import Clock, SystemClock
from platform_lib.errors import Unavailable
from platform_lib.security._problems import Unauthenticated
from platform_lib.security._tokens import _jose
from platform_lib.security._tokens._source import KeySource, NoKeys
from platform_lib.security._tokens._verify import TokenRefused, read_claims, read_header

if TYPE_CHECKING:
    from types import TracebackType

    from platform_lib.security._tokens._caller import Caller
    from platform_lib.security._tokens._settings import TokenSettings

realm = "callers"


class TokenIssuer:
    """Verifies the tokens of one issuer: an async context manager, to be registered as a resource.

    Its keys are fetched in the background, and `check` tells health of their age. *random* gives numbers from
    0 to 1 and spreads the fetches of replicas.

    Raises:
        PlatformError: what verifies tokens is not installed; it is the extra ``paypath[jwt]``.
    """

    def __init__(
        self,
        settings: TokenSettings,
        *,
        clock: Clock | None = None,
        random: Callable[[], float] = system_random.random,
    ) -> None:
        self._settings = settings
        self._clock: Clock = clock or SystemClock()
        self._signatures = _jose.load()
        self._keys = KeySource(settings, self._signatures, self._clock, random=random)

    async def __aenter__(self) -> Self:
        await self._keys.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._keys.close()

    async def check(self) -> str | None:
        """Warn while the issuer's keys cannot be fetched anew; raise when they may not be used any more."""
        return await self._keys.check()

    async def verify(self, token: str) -> Caller:
        """Return whom *token* speaks for.

        Raises:
            Unauthenticated: it is no valid token of this issuer for this service at this time.
            Forbidden: it is, without the scopes or the merchant that every caller needs here.
            Unavailable: the issuer's keys cannot be had, so that nothing can be said of it.
        """
        try:
            return read_claims(await self._verified(token), self._settings, self._clock.now())
        except TokenRefused as refused:
            raise Unauthenticated(
                f"The access token is not valid here: {refused.reason}", error="invalid_token", realm=realm
            ) from None
        except NoKeys:
            raise Unavailable(
                "The access token cannot be verified now; send the same request again",
                retry_after_seconds=max(1, round(self._settings.retry)),
            ) from None

    async def _verified(self, token: str) -> bytes:
        header = read_header(token, self._settings)
        key = await self._keys.find(header.kid, header.algorithm)
        if key is None:
            raise TokenRefused("key")
        try:
            return self._signatures.payload(token, key, header.algorithm)
        except self._signatures.errors:
            raise TokenRefused("signature") from None
