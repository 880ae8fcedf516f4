"""What adding or taking out a piece would change: worked out in memory first, and then written whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from paypath.scaffold.errors import BadInput, ScaffoldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a service that is ready to be written.

    Attributes:
        verb: ``add`` or ``remove``.
        piece: which piece.
        name: what it is called.
        folder: the service.
        files: text before and after, by path; None where there is no file.
        next: what the team has to do afterwards.
        notes: what the user should know beforehand.
    """

    verb: str
    piece: str
    name: str
    folder: Path
    files: Mapping[str, tuple[str | None, str | None]]
    next: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Tell whether there is nothing to change."""
        return not self.files

    def diff(self) -> str:
        """Return the change as a unified diff, as git writes it."""
        return "".join(_diff(path, before, after) for path, (before, after) in sorted(self.files.items()))

    def apply(self) -> None:
        """Write the change, all of it or nothing.

        Raises:
            BadInput: a file is no longer as it was when the change was worked out.
            ScaffoldError: a file cannot be written; all are as before.
        """
        for path, (before, _) in self.files.items():
            if _read(self.folder / path) != before:
                raise BadInput(f"{path}: changed meanwhile; begin again")
        done: list[str] = []
        try:
            for path, (_, after) in self.files.items():
                _write(self.folder, path, after)
                done.append(path)
        except BaseException as error:
            for written in done:
                _write(self.folder, written, self.files[written][0])
            if isinstance(error, OSError):
                raise ScaffoldError(
                    f"{path}: cannot be written ({error.strerror}); nothing changed"
                ) from error
            raise


def _read(file: Path) -> str | None:
    return file.read_bytes().decode() if file.is_file() else None


def _write(folder: Path, path: str, text: str | None) -> None:
    file = folder / path
    if text is None:
        file.unlink(missing_ok=True)
        for parent in file.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.paypath-{os.getpid()}")
    try:
        beside.write_bytes(text.encode())
        if file.exists():
            beside.chmod(file.stat().st_mode & 0o7777)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _diff(path: str, before: str | None, after: str | None) -> str:
    return "".join(
        unified_diff(
            (before or "").splitlines(keepends=True),
            (after or "").splitlines(keepends=True),
            "/dev/null" if before is None else f"a/{path}",
            "/dev/null" if after is None else f"b/{path}",
        )
    )
