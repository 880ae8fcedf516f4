"""A folder that appears whole or not at all: made beside its destination, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paypath.scaffold.errors import BadInput, ScaffoldError


@contextmanager
def appearing(destination: Path) -> Iterator[Path]:
    """Give an empty folder beside *destination*; when the block ends well, what is in it is at *destination*.

    Whatever ends the block otherwise, an error or Ctrl-C, leaves the disk as it was. *destination* must be
    absolute; parents are made as needed.

    Raises:
        BadInput: there is something at *destination* already.
        ScaffoldError: its parent cannot be written to.
    """
    require_free(destination)
    with ExitStack() as undo:
        try:
            for parent in reversed(destination.parents):
                if not parent.exists():
                    parent.mkdir()
                    undo.callback(parent.rmdir)
            staged = destination.with_name(f".{destination.name}.paypath-{os.getpid()}")
            staged.mkdir()
        except OSError as error:
            raise ScaffoldError(
                f"{destination}: cannot be made ({error.strerror}); choose a folder that you may write to"
            ) from error
        undo.callback(shutil.rmtree, staged, ignore_errors=True)
        yield staged
        require_free(destination)
        if destination.exists():
            # Somebody may stand in it (`paypath new .`), so the folder itself stays.
            for entry in sorted(staged.iterdir()):
                undo.callback(_move, destination / entry.name, staged)
                entry.rename(destination / entry.name)
            undo.pop_all()
            staged.rmdir()
        else:
            staged.rename(destination)
            undo.pop_all()


def require_free(destination: Path) -> None:
    """Refuse a *destination* where something is.

    Raises:
        BadInput: it is a file, or a folder with something in it.
    """
    if destination.is_dir():
        if any(destination.iterdir()):
            raise BadInput(f"{destination}: the folder is not empty; choose another, or empty it first")
    elif destination.exists() or destination.is_symlink():
        raise BadInput(f"{destination}: there is a file of that name; choose another")


def _move(entry: Path, folder: Path) -> None:
    if entry.exists() or entry.is_symlink():
        entry.rename(folder / entry.name)
