"""Where renders, checkouts and half-done work are kept: one folder, which anybody may delete at any time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp


def cache_folder() -> Path:
    """Return this user's cache folder of the tool; ``PAYPATH_CACHE`` names another."""
    import platformdirs  # noqa: PLC0415  # only upgrades need it

    named = os.environ.get("PAYPATH_CACHE")
    folder = Path(named) if named else Path(platformdirs.user_cache_dir("paypath"))  # law-8: the cache folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextmanager
def workroom(cache: Path) -> Iterator[Path]:
    """Give an empty folder under *cache* until the block ends; remove those that a killed process left.

    A room is held by a lock on a file in it, which the system gives up when its process ends, however it
    ends.
    """
    rooms = cache / "work"
    rooms.mkdir(parents=True, exist_ok=True)
    with holding(rooms / ".sweeping"):
        _sweep(rooms)
        room = Path(mkdtemp(prefix="room-", dir=rooms))
        lock = (room / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        inside = room / "in"
        inside.mkdir()
        yield inside
    finally:
        shutil.rmtree(room, ignore_errors=True)
        lock.close()


@contextmanager
def holding(file: Path) -> Iterator[None]:
    """Hold *file* until the block ends, as the only process that does; wait for that as long as it takes."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(rooms: Path) -> None:
    """Remove the rooms that nobody holds. The caller holds the lock under which rooms are made."""
    for room in rooms.glob("room-*"):
        with suppress(OSError), (room / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(room, ignore_errors=True)
