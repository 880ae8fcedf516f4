"""Who owns which file of a service, as its render says in `.paypath/ownership.toml`.

The platform's files are rewritten by upgrades; seeded ones were written once and are the team's alone; the
team's are merged. A template without the list has none of the first two.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.merges import Entry, Objects

ownership_file = ".paypath/ownership.toml"


@dataclass(frozen=True, slots=True)
class Ownership:
    """The paths of one list; what is in neither set is the team's."""

    platform: frozenset[str] = frozenset()
    seeded: frozenset[str] = frozenset()


def read_ownership(objects: Objects, files: dict[str, Entry]) -> Ownership:
    """Return the list that *files*, a render, carries.

    Raises:
        UpgradeError: it cannot be read.
    """
    if ownership_file not in files:
        return Ownership()
    try:
        document = tomllib.loads(objects.content(files[ownership_file]).decode())
        return Ownership(frozenset(document.get("platform", ())), frozenset(document.get("seeded", ())))
    except (ValueError, TypeError) as error:
        raise UpgradeError(f"{ownership_file}: the template's list cannot be read; {error}") from error
