"""What an installed tool carries, as a git repository: then upgrades read it as they read any other.

It has a commit and a tag for each release. The trees are those of the released commits, id for id, so
checkouts and renders in the cache folder are shared with upgrades that read the real repository.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp

from paypath.scaffold._carried import CarriedFile, carried_files
from paypath.scaffold.git import git, run_git


def repository_of_carried(folder: Path) -> Path:
    """Make the bare repository *folder* of what this installation carries, unless it is there; return it.

    The caller sees to it that no other process makes it at the same time.

    Raises:
        ScaffoldError: the archive is damaged.
    """
    if folder.is_dir():
        return folder
    aside = Path(mkdtemp(prefix="aside-", dir=folder.parent))
    try:
        settings = ("--quiet", "--bare", "--object-format=sha1", "--initial-branch=main", "--template=")
        git("init", *settings, str(aside), folder=folder.parent)
        run_git("fast-import", "--quiet", folder=aside, given=b"".join(_stream()))
        (aside / "description").write_text(f"{tool_version()}\n", encoding="utf-8")
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def carrier_of(repository: Path) -> str:
    """Return the version of the tool that carried what `repository_of_carried` made *repository* of."""
    return (repository / "description").read_text(encoding="utf-8").strip()


def tool_version() -> str:
    """Return the version of this tool, as it was installed."""
    try:
        return version("paypath")
    except PackageNotFoundError:
        return "unknown"


def _stream() -> Iterator[bytes]:
    """Give the releases as git-fast-import(1) reads them."""
    files = (file for file in carried_files() if file.path)
    for tag, released in groupby(files, lambda file: file.tag):
        yield b"commit refs/heads/main\ncommitter paypath <paypath@localhost> 0 +0000\n"
        yield _data(f"Release {tag}\n".encode())
        yield b"deleteall\n"
        yield from map(_file, released)
        yield f"reset refs/tags/{tag}\nfrom refs/heads/main\n\n".encode()


def _file(file: CarriedFile) -> bytes:
    return f"M {file.mode} inline {file.path}\n".encode() + _data(file.content)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
