"""Where keys are looked up: a port, and the list in the settings that implements it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field

from platform_lib.config import Reloadable, Section
from platform_lib.security._api_keys import StoredKey

most_per_merchant = 2
_test_prefix = "pk_test_"
_logger = logging.getLogger("platform_lib.security")


class ApiKeyStore(Protocol):
    """What `ApiKeys` needs: a key by its public part."""

    async def find(self, key_id: str) -> StoredKey | None:
        """Return the key with this public part (``pk_live_…``), or None; a revoked key is not found."""
        ...


class ListedKeys:
    """The keys of a list: at most two of a merchant, the current one and the one that is being replaced.

    Without *test_keys* those that begin with ``pk_test_`` may be listed and are never found.

    Raises:
        ValueError: an entry has another form, a key is listed twice, or a merchant has more than two.
    """

    def __init__(self, entries: Iterable[str], *, test_keys: bool = True) -> None:
        self._test_keys = test_keys
        self._keys = self._read(entries)

    def replace(self, entries: Iterable[str]) -> None:
        """Take *entries* in place of the list, in one step; a key that is not among them opens nothing now.

        Raises:
            ValueError: as when it was made; the old list stays.
        """
        self._keys = self._read(entries)

    async def find(self, key_id: str) -> StoredKey | None:
        """Return the key with this public part, or None."""
        return self._keys.get(key_id)

    def _read(self, entries: Iterable[str]) -> dict[str, StoredKey]:
        listed = [StoredKey.parse(entry) for entry in entries]
        keys = {key.id: key for key in listed}
        if len(keys) < len(listed):
            raise ValueError("an API key is listed twice; drop one of the entries")
        for merchant, count in Counter(key.merchant_id for key in listed).items():
            if count > most_per_merchant:
                raise ValueError(
                    f"{merchant} has {count} API keys; keep at most {most_per_merchant} and drop the oldest"
                )
        tests = [key_id for key_id in keys if key_id.startswith(_test_prefix)]
        if tests and not self._test_keys:
            _logger.warning("%d test keys are listed, and open nothing in production", len(tests))
            keys = {key_id: key for key_id, key in keys.items() if not key_id.startswith(_test_prefix)}
        return keys


def _usable(entries: tuple[str, ...]) -> tuple[str, ...]:
    ListedKeys(entries)
    return entries


class ApiKeySettings(Section):
    """The keys of merchants, hashed: nothing in it is secret."""

    keys: Annotated[
        tuple[str, ...],
        AfterValidator(_usable),
        Field(
            description="entries merchant:id:hash, as `python -m platform_lib.security new-key` prints them"
        ),
        Reloadable(),
    ] = ()

    def store(self) -> ListedKeys:
        """Return the keys to look up."""
        return ListedKeys(self.keys)
