"""Where the one version stands, and how it is read and set there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of file that names the version.

    Attributes:
        paths: which paths of the repository are of this kind.
        pattern: what stands around the version; its one group is the version itself.
        times: how often it stands in each file.
    """

    paths: re.Pattern[str]
    pattern: re.Pattern[str]
    times: int


places = (
    Place(re.compile(r"pyproject\.toml"), re.compile(r'(?m)^version = "([^"]+)"$'), 1),
    Place(
        re.compile(r"copier\.yml"),
        re.compile(r'(?:_template_version=|_commit \| default\()"v([^"]+)"'),
        2,
    ),
    Place(
        # The page shows such a file, and a test follows it to the letter.
        re.compile(r"templates/[^/]+/cookiecutter\.json|docs/howto/add-a-kind\.md"),
        re.compile(r'"(?:_template_version|_commit)": "v([^"]+)"'),
        2,
    ),
)


def versions(paths: Iterable[str], read: Callable[[str], str]) -> dict[str, list[str]]:
    """Return the versions that stand in each file that should name one, by path.

    A file that names it less often than it should has fewer of them.
    """
    return {path: place.pattern.findall(read(path)) for path, place in _placed(paths)}


def disagreements(found: dict[str, list[str]], wanted: str) -> list[str]:
    """Return, in words, every place of *found* that does not say *wanted* as often as it should."""
    said = []
    for path, place in _placed(found):
        if found[path] != [wanted] * place.times:
            stands = ", ".join(found[path]) or "nothing"
            said.append(f"{path} says {stands}, and should say {wanted} {place.times} times")
    if not any(path.endswith("cookiecutter.json") for path in found):
        said.append("templates/ holds no kind")
    return said


def with_version(path: str, text: str, version: str) -> str:
    """Return *text* of the file at *path* with *version* in each of its places."""
    [(_, place)] = _placed([path])
    return place.pattern.sub(lambda match: match[0].replace(match[1], version), text)


def _placed(paths: Iterable[str]) -> list[tuple[str, Place]]:
    return [(path, place) for path in sorted(paths) for place in places if place.paths.fullmatch(path)]
