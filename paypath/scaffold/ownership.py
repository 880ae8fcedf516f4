"""Who owns which file of a service: its team, its team once it was written, or the platform."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from paypath.scaffold.errors import ScaffoldError

ownership_file = ".paypath/ownership.toml"
"""Where a service says who owns which file, below its folder."""

Owner: TypeAlias = Literal["team", "seeded", "platform"]
"""What an upgrade does with a file: merges into it, leaves it alone, or rewrites it."""

owners: tuple[Owner, ...] = get_args(Owner)


def ownership(service: Path) -> Mapping[str, Owner]:
    """Return the owner of every file that the template of *service* rendered, by its path in the service.

    A path that is not there is the team's own: no template knows of it. A service that was generated before
    there was such a list has none, and everything in it is the team's: the answer is empty then.

    Raises:
        ScaffoldError: the list cannot be read, or names a file twice.
    """
    file = service / ownership_file
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ScaffoldError(f"{file}: cannot be read ({error}); take it from the template again") from error
    return read_ownership(text, str(file))


def read_ownership(text: str, where: str) -> Mapping[str, Owner]:
    """Return what a list says that was read elsewhere, such as in a render; *where* names it in errors.

    Raises:
        ScaffoldError: as `ownership`.
    """
    try:
        lists = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScaffoldError(f"{where}: is no TOML ({error}); take it from the template again") from error
    if unknown := set(lists) - set(owners):
        raise ScaffoldError(f"{where}: knows {sorted(unknown)}; a file is {', '.join(owners)}")
    found: dict[str, Owner] = {}
    for owner in owners:
        for path in _paths(lists.get(owner, []), f"{where}: {owner}"):
            if path in found:
                raise ScaffoldError(f"{where}: lists {path} twice, as {found[path]} and as {owner}")
            found[path] = owner
    return found


def _paths(listed: Any, where: str) -> list[str]:
    if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
        raise ScaffoldError(f"{where} is no list of paths; take the file from the template again")
    return listed
