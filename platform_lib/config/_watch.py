"""Tell whether files are still the ones they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

Identities = tuple[tuple[object, ...], ...]


def identities(places: Iterable[Path]) -> Identities:
    """Return what each of *places*, and each entry of those that are folders, is now.

    A mounted secret is a link to ``..data/NAME``, and ``..data`` a link to a folder with a date for a name:
    the entry of ``..data`` changes with a swap even if size and time of the files do not.
    """
    return tuple(_identity(path) for place in places for path in _with_entries(place))


def _with_entries(place: Path) -> Iterator[Path]:
    yield place
    try:
        yield from sorted(place.iterdir())
    except OSError:
        return  # a file, or nothing


def _identity(path: Path) -> tuple[object, ...]:
    try:
        target = str(path.readlink()) if path.is_symlink() else ""
        status = path.stat()
    except OSError:
        return (str(path),)
    return (str(path), target, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
