"""The layers on top of one another: what is set where, and what wins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from platform_lib.config._fields import Path as FieldPath
from platform_lib.config._layer import Found, Layer
from platform_lib.config._origins import Origin
from platform_lib.config._report import Mistake
from platform_lib.config._secret import Dsn, Secret, masked

_shortest_scrubbed = 4
_password_in_url = re.compile(r"://[^\s:@/]*:(\S+)@")


@dataclass(slots=True)
class Stack:
    """What the layers hold for each leaf, weakest first."""

    found: dict[FieldPath, list[Found]] = field(default_factory=dict, repr=False)
    mistakes: list[Mistake] = field(default_factory=list)

    def add(self, layer: Layer) -> None:
        """Put *layer* on top."""
        for item in layer.found:
            self.found.setdefault(item.leaf.path, []).append(item)
        self.mistakes += layer.mistakes

    def strongest(self, path: FieldPath) -> Found | None:
        """Return what wins for the leaf at *path*."""
        items = self.found.get(path)
        return items[-1] if items else None

    def places(self, path: FieldPath) -> tuple[str, ...]:
        """Return where the leaf at *path* is set, strongest first, in words."""
        return tuple(place(item.origin) for item in reversed(self.found.get(path, [])))

    def scrub(self, text: str) -> str:
        """Return *text* without any of the secrets that were found, but for the shortest."""
        secrets = {secret for secret in self.secret_texts() if len(secret) >= _shortest_scrubbed}
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, masked)
        return text

    def secret_texts(self) -> Iterator[str]:
        """Yield every text that was found for a secret leaf, winners and losers, whole and by the line."""
        for items in self.found.values():
            for item in items:
                if item.leaf.secret:
                    yield from _texts(item.value)


def place(origin: Origin) -> str:
    """Return where a value stands, in words."""
    named_apart = origin.source in {"environment", "command line", "override"}
    return f"{origin.location} ({origin.source})" if named_apart else origin.location


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
            yield from (line.strip() for line in value.split("\n"))
            yield from (match[1] for match in _password_in_url.finditer(value))
        case Secret():
            yield from value.all_versions()
        case Dsn():
            yield from _texts(value.reveal())
        case Mapping():
            yield from _texts(list(value.values()))
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from _texts(inner)
