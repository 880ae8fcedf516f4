"""Where keys are looked up: a port, and the list in the settings that implements it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field

from platform_lib.config import Section
from platform_lib.security._api_keys import StoredKey

most_per_merchant = 2


class ApiKeyStore(Protocol):
    """What `ApiKeys` needs: a key by its public part."""

    async def find(self, key_id: str) -> StoredKey | None:
        """Return the key with this public part (``pk_live_…``), or None; a revoked key is not found."""
        ...


class ListedKeys:
    """The keys of a list: at most two of a merchant, the current one and the one that is being replaced.

    Raises:
        ValueError: an entry has another form, a key is listed twice, or a merchant has more than two.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        keys = [StoredKey.parse(entry) for entry in entries]
        self._keys = {key.id: key for key in keys}
        if len(self._keys) < len(keys):
            raise ValueError("an API key is listed twice; drop one of the entries")
        for merchant, count in Counter(key.merchant_id for key in keys).items():
            if count > most_per_merchant:
                raise ValueError(
                    f"{merchant} has {count} API keys; keep at most {most_per_merchant} and drop the oldest"
                )

    async def find(self, key_id: str) -> StoredKey | None:
        """Return the key with this public part, or None."""
        return self._keys.get(key_id)


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
    ] = ()

    def store(self) -> ListedKeys:
        """Return the keys to look up."""
        return ListedKeys(self.keys)
