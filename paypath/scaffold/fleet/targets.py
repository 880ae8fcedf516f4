"""Which services are meant: folders, git URLs, and lists of both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.fleet.errors import BadFleet
from paypath.scaffold.sources import is_url, without_credentials


@dataclass(frozen=True, slots=True)
class Target:
    """A service of the fleet, before anybody has looked at it.

    Attributes:
        number: its number in the list, from 1.
        place: its absolute folder, or its git URL.
    """

    number: int
    place: str

    @property
    def name(self) -> str:
        """What to call it: the last part of its place."""
        return self.place.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git") or self.place

    @property
    def label(self) -> str:
        """Number and name, which files of a run are called by."""
        return f"{self.number:04}-{self.name}"


def read_targets(words: Iterable[str], given: Iterable[str] = ()) -> tuple[Target, ...]:
    """Return the services that *words* name, each once, in their order.

    A word is a folder, a git URL, a file that lists one of these a line, or ``-`` for the lines *given*.
    Empty lines and those that begin with ``#`` do not count; a relative folder in a file begins at the
    file's.

    Raises:
        BadFleet: a word names nothing, a URL holds a password, or no service is named.
    """
    places = dict.fromkeys(_places(words, given))
    if not places:
        raise BadFleet("PATHS: name no service; name folders, git URLs, or a file that lists them")
    return tuple(Target(number, place) for number, place in enumerate(places, start=1))


def _places(words: Iterable[str], given: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word == "-":
            yield from _listed("-", given, Path.cwd())
        elif is_url(word) or Path(word).is_dir():
            yield _place(word, Path.cwd())
        elif Path(word).is_file():
            lines = Path(word).read_text(encoding="utf-8").splitlines()
            yield from _listed(word, lines, Path(word).resolve().parent)
        else:
            raise BadFleet(
                f"{word}: there is no such folder or list; name folders, git URLs or a list of them"
            )


def _listed(name: str, lines: Iterable[str], base: Path) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        word = line.strip()
        if word and not word.startswith("#"):
            if not is_url(word) and not (base / word).is_dir():
                raise BadFleet(f"{name}, line {number}: {word} is no folder; mend the line, or take it out")
            yield _place(word, base)


def _place(word: str, base: Path) -> str:
    if not is_url(word):
        return os.path.realpath(base / word)
    if without_credentials(word) != word:
        raise BadFleet(
            f"{without_credentials(word)}: was given with a password or token, which the journal would keep; "
            "leave it to git's credential helper"
        )
    return word
