"""Temporary folders that are removed at the end, or at the next start when the end came too suddenly."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_prefix = "paypath-engine-"


@contextlib.contextmanager
def scratch_folder(resource: str) -> Iterator[Path]:
    """Create a temporary folder for one engine and remove it at the end.

    A lock on the folder says that its owner lives; the kernel drops it with the owner, so a folder that can
    be locked is nobody's. Those are removed first.
    """
    _remove_stale()
    folder, lock = _create(resource)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _create(resource: str) -> tuple[Path, int]:
    """Create a folder and lock it; again should another start take it for nobody's in between."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{_prefix}{resource}-"))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _remove_stale() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_prefix}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def open_to_everybody(path: Path) -> bool:
    """Return whether any user can reach *path* and read it."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents) and bool(
        path.stat().st_mode & 0o004
    )
