"""Where renders, checkouts and half-done work are kept: one folder, which anybody may delete at any time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

from platform_lib.clock import Clock, SystemClock

_kept = ("renders", "checkouts", "carried")
_lifetime = timedelta(days=30)


def cache_folder() -> Path:
    """Return this user's cache folder of the tool; ``PAYPATH_CACHE`` names another."""
    import platformdirs  # noqa: PLC0415  # only upgrades need it

    named = os.environ.get("PAYPATH_CACHE")
    folder = Path(named) if named else Path(platformdirs.user_cache_dir("paypath"))  # law-8: the cache folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextmanager
def workroom(cache: Path, clock: Clock | None = None) -> Iterator[Path]:
    """Give an empty folder under *cache* until the block ends; remove those that a killed process left.

    A room is held by a lock on a file in it, which the system gives up when its process ends, however it
    ends. Whoever comes when nobody else has a room, and 30 days after what is kept was begun, begins it anew.
    """
    rooms = cache / "work"
    rooms.mkdir(parents=True, exist_ok=True)
    with holding(rooms / ".sweeping"):
        _sweep(rooms)
        if not any(rooms.glob("room-*")):
            _forget(cache, (clock or SystemClock()).now())
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


def _forget(cache: Path, now: datetime) -> None:
    """Remove what is kept if it is old; nobody may be using it.

    Versions that services have left are never asked for again, and to know which of thousands of renders
    those are would cost more than to make the others anew.
    """
    begun = cache / "begun"
    if begun.exists() and now - datetime.fromtimestamp(begun.stat().st_mtime, UTC) < _lifetime:
        return
    if begun.exists():
        for name in _kept:
            shutil.rmtree(cache / name, ignore_errors=True)
    begun.touch()
    os.utime(begun, (now.timestamp(), now.timestamp()))
