"""The issuer's keys: fetched in the background, kept in memory, and for how long."""

from __future__ import annotations

import asyncio
import logging
import random as system_random
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from platform_lib.clients import HttpClientSettings, http_client
from platform_lib.errors import CallFailed, PlatformError
from platform_lib.security._tokens._keys import KeysUnusable, PublicKeys

if TYPE_CHECKING:
    from joserfc.jwk import Key

    from platform_lib.clock import Clock
    from platform_lib.security._tokens._jose import Signatures
    from platform_lib.security._tokens._settings import TokenSettings

_largest_set = 256 * 1024
_jitter = 0.1
_ok = 200
_logger = logging.getLogger("platform_lib.security")


class NoKeys(PlatformError):
    """There are no keys of the issuer, or only some that are too old to be used."""


class KeySource:
    """The keys of one issuer.

    Guarantees: a key that is in memory is found without waiting, whatever is being fetched; there is one
    fetch at a time, and never two within `retry` seconds, whatever ids strangers make up; keys that could not
    be fetched anew are used for `usable_for` seconds and no longer.
    """

    def __init__(
        self,
        settings: TokenSettings,
        signatures: Signatures,
        clock: Clock,
        *,
        random: Callable[[], float] = system_random.random,
    ) -> None:
        parts = urlsplit(settings.jwks_url)
        self._settings = settings
        self._signatures = signatures
        self._clock = clock
        self._random = random
        self._path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        base = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self._http = http_client(
            "token issuer", HttpClientSettings(url=base, timeout=settings.timeout), clock=clock
        )
        self._keys: PublicKeys | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None
        self._failure: str | None = None
        self._fetch: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Fetch the keys once; a service without them starts all the same, and says so in its health."""
        await self._http.__aenter__()
        await self._fetched()
        self._loop = asyncio.create_task(self._repeat(), name="issuer keys", context=Context())

    async def close(self) -> None:
        """Fetch no more."""
        tasks = [task for task in (self._loop, self._fetch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.__aexit__(None, None, None)

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key, after a fetch if it is not known and one is due; None if the issuer has none.

        Raises:
            NoKeys: nothing can be said of any token now.
        """
        key = self._find(kid, algorithm)
        if key is None:
            await self._fetched()
            key = self._find(kid, algorithm)
        if key is None and not self._usable():
            raise NoKeys("the token issuer's keys cannot be had")
        return key

    async def check(self) -> str | None:
        """Warn while the keys are older than they should be; raise `NoKeys` when they cannot be used."""
        if not self._usable():
            raise NoKeys(self._failure or "not fetched yet")
        return f"stale: {self._failure}" if self._failure else None

    def _usable(self) -> bool:
        age = self._clock.monotonic() - self._fetched_at
        return self._keys is not None and age <= self._settings.usable_for

    def _find(self, kid: str | None, algorithm: str) -> Key | None:
        return self._keys.find(kid, algorithm) if self._keys is not None and self._usable() else None

    async def _repeat(self) -> None:
        while True:
            pause = self._settings.retry if self._failure else self._settings.refresh
            await self._clock.sleep(pause * (1 + _jitter * self._random()))
            await self._fetched()

    async def _fetched(self) -> None:
        """Wait for the fetch under way, or for a new one if one may begin."""
        if self._fetch is None or self._fetch.done():
            now = self._clock.monotonic()
            if self._tried_at is not None and now - self._tried_at < self._settings.retry:
                return
            self._tried_at = now
            # A context of its own: it must not belong to the request that happened to be first.
            self._fetch = asyncio.create_task(
                self._fetch_once(), name="issuer keys: fetch", context=Context()
            )
        await asyncio.shield(self._fetch)

    async def _fetch_once(self) -> None:
        try:
            keys = PublicKeys.parse(await self._body(), self._signatures)
        except Exception as error:  # noqa: BLE001  # whatever it is, the old keys stay, and so does the loop
            known = isinstance(error, CallFailed | KeysUnusable)
            failure = str(error) if known else type(error).__name__
            if self._failure is None:
                _logger.warning(
                    "the token issuer's keys could not be fetched, the old ones stay: %s", failure
                )
            self._failure = failure
            return
        if self._failure is not None or self._keys is None:
            _logger.info("fetched the token issuer's keys: %d that can verify", len(keys))
        self._keys, self._fetched_at, self._failure = keys, self._clock.monotonic(), None

    async def _body(self) -> bytes:
        reply = await self._http.request(
            "GET",
            self._path,
            headers={"Accept": "application/jwk-set+json, application/json"},
            operation="fetch issuer keys",
        )
        if reply.status != _ok:
            raise KeysUnusable(f"the token issuer answered {reply.status} where its keys should be")
        if len(reply.body) > _largest_set:
            raise KeysUnusable(f"the token issuer's keys are larger than {_largest_set} bytes")
        return reply.body
