"""What a service is made of: kinds, permissions and bytes of its files; equal trees are one tree."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path

from paypath.scaffold.upgrade.merges import Objects

Tree = Mapping[str, tuple[int, bytes]]
"""By path, the mode as ``lstat`` has it, and the bytes: of a link its target, of a folder nothing."""

_shown_lines = 200


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file, link and folder of *folder*; git's own are left out."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            bytes(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.relative_to(folder).parts
    }


def digest(of: Tree) -> str:
    """Return a hash of a tree."""
    sums = hashlib.sha256()
    for path, (mode, content) in sorted(of.items()):
        sums.update(f"{mode:o} {path}\0{len(content)}\0".encode())
        sums.update(content)
    return sums.hexdigest()


def differences(one: Tree, other: Tree, names: tuple[str, str]) -> list[str]:
    """Return where two trees differ, as lines to read; *names* says whose they are."""
    found: list[str] = []
    for path in sorted({*one, *other}):
        if path not in one or path not in other:
            found.append(f"{path}: only {names[0] if path in one else names[1]} has it")
            continue
        (mode, content), (other_mode, other_content) = one[path], other[path]
        if mode != other_mode:
            modes = f"{stat.filemode(mode)} by {names[0]}, {stat.filemode(other_mode)} by {names[1]}"
            found.append(f"{path}: {modes}")
        if content != other_content:
            found += [f"{path}: the bytes differ", *_diff(content, other_content, names)]
    return found


def _diff(one: bytes, other: bytes, names: tuple[str, str]) -> Iterator[str]:
    """Give the lines that differ, line ends and odd bytes made visible."""
    before, after = (
        [_readable(line) for line in content.splitlines(keepends=True)] for content in (one, other)
    )
    for number, line in enumerate(unified_diff(before, after, names[0], names[1], lineterm="", n=1)):
        if number == _shown_lines:
            yield "  …"
            return
        yield f"  {line}"


def _readable(line: bytes) -> str:
    """Return a line as text; only a plain line end is left out."""
    text = line.decode(errors="backslashreplace")
    return text[:-1] if text.endswith("\n") and not text.endswith("\r\n") else repr(text)


def stored(objects: Objects, tree_id: str) -> dict[str, bytes]:
    """Return the bytes of every file of a git tree, by path."""
    archive = objects.run("archive", "--format=tar", tree_id)
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {
            member.name: found.read()
            for member in opened
            if member.isfile() and (found := opened.extractfile(member)) is not None
        }
