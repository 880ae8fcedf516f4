"""The releases that an installed tool carries, so that it needs no network: an archive in the wheel.

`scripts/carry_releases.py` writes it when the wheel is built: a ``tar.xz`` with one folder a release and an
index. Compressed together, a release costs what differs from the one before. `new` unpacks one of them; an
upgrade compares several, so it makes a git repository of all.
"""

from __future__ import annotations

import json
import lzma
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold._record import Release, version_number
from paypath.scaffold.errors import ScaffoldError

archive = Path(__file__).with_name("released.tar.xz")
_index = "index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What is in the archive.

    Attributes:
        releases: oldest first.
        repository: the public git URL that the wheel was built from, if the build knew one.
        built_at: the version whose templates stood in the tree that the wheel was built from; None where
            they were in between two releases.
    """

    releases: tuple[Release, ...]
    repository: str | None
    built_at: str | None

    def get(self, version: str) -> Release | None:
        """Return the release of *version*, if it is carried."""
        return next((release for release in self.releases if release.version == version), None)


def carried(path: Path | None = None) -> Carried | None:
    """Return what this installation carries, or None: a checkout carries nothing, it has the history.

    Raises:
        ScaffoldError: the archive is damaged.
    """
    path = path or archive
    if not path.is_file():
        return None
    try:
        with tarfile.open(path, "r:xz") as opened:
            first = opened.next()  # to ask for it by name would be to read everything after it too
            member = opened.extractfile(first) if first is not None and first.name == _index else None
            index = json.loads(member.read() if member else b"")
        return Carried(
            releases=tuple(
                sorted(
                    (Release(**entry) for entry in index["releases"]),
                    key=lambda release: version_number(release.version),
                )
            ),
            repository=index["repository"],
            built_at=index["built_at"],
        )
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def guarded(opened: tarfile.TarFile) -> tarfile.TarFile:
    """Have *opened* refuse what would leave its folder (PEP 706), where this Python can: from 3.11.4 on."""
    # Debian 12 has 3.11.2, to which `filter="data"` is an unexpected argument and this attribute is nothing.
    if hasattr(tarfile, "data_filter"):
        opened.extraction_filter = tarfile.data_filter
    return opened


def unpack(release: Release, folder: Path, path: Path | None = None) -> Path:
    """Write the templates of *release* into *folder*, and return it.

    Raises:
        ScaffoldError: the archive is damaged.
    """
    path = path or archive
    prefix = f"{release.tag}/"
    try:
        with guarded(tarfile.open(path, "r:xz")) as opened:
            for member in opened:
                if (member.isfile() or member.issym()) and member.name.startswith(prefix):
                    member.name = member.name.removeprefix(prefix)
                    opened.extract(member, folder)
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError) as error:
        raise _damaged(path, error) from error
    return folder


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file or a link of a release, as git has it.

    Attributes:
        tag: the release's tag.
        path: where it is in the repository.
        mode: git's mode, such as ``100644``.
        content: its bytes; of a link where it leads.
    """

    tag: str
    path: str
    mode: str
    content: bytes


def carried_files(path: Path | None = None) -> Iterator[CarriedFile]:
    """Give every file of every release, a release at a time, oldest first.

    Raises:
        ScaffoldError: the archive is damaged.
    """
    path = path or archive
    try:
        with tarfile.open(path, "r:xz") as opened:
            for member in opened:
                tag, _, place = member.name.partition("/")
                if member.issym():
                    yield CarriedFile(tag, place, "120000", member.linkname.encode())
                elif place and (file := opened.extractfile(member)):
                    yield CarriedFile(tag, place, "100755" if member.mode & 0o100 else "100644", file.read())
    except (OSError, EOFError, lzma.LZMAError, tarfile.TarError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ScaffoldError:
    return ScaffoldError(f"{path}: cannot be read ({error}); install paypath again")
