"""Git's own three-way merge of trees, in a store beside the service's: nothing of the service is written.

Objects go to a scratch folder; the service's and the renders' are read as alternates. Git 2.38 is the first
with ``merge-tree --write-tree``; before 2.40 it takes commits alone, so base, ours and theirs become commits
that no branch names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.git import git, run_git
from paypath.scaffold.upgrade.errors import UpgradeError

minimum_git = (2, 38)
_nowhen = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Paypath"), ("EMAIL", "paypath@localhost"), ("DATE", "2026-01-01T00:00:00Z"))
}
# What a user set for their own merges must not change what an upgrade finds.
_merging = (
    *("-c", "merge.renames=true", "-c", "merge.renameLimit=100000", "-c", "merge.directoryRenames=true"),
    *("-c", "merge.conflictStyle=diff3", "-c", "diff.renames=true", "-c", "diff.renameLimit=100000"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a tree: its mode and its blob."""

    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How one file differs between two trees.

    Attributes:
        path: where it is in the second tree, or was in the first if it is gone.
        old_path: where it was; the same unless it was renamed; None if it is new.
        old: the file in the first tree.
        new: the file in the second tree; None if it is gone.
    """

    path: str
    old_path: str | None
    old: Entry | None
    new: Entry | None

    @property
    def renamed(self) -> bool:
        """Whether the file has another path now."""
        return self.new is not None and self.old_path is not None and self.old_path != self.path


@dataclass(frozen=True, slots=True)
class Stages:
    """The three sides of a conflict: what was there, what the team has, what the template has."""

    base: Entry | None = None
    ours: Entry | None = None
    theirs: Entry | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """The outcome of a merge.

    Attributes:
        tree: the merged tree, conflicts as files with markers.
        conflicts: the sides of each file in conflict, by path.
        told: what git said about conflicts, as (kind, paths, message).
    """

    tree: str
    conflicts: Mapping[str, Stages]
    told: tuple[tuple[str, tuple[str, ...], str], ...]


class Objects:
    """Git objects of a service, of renders, and new ones in a folder of their own."""

    def __init__(self, repository: Path, scratch: Path, *others: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self.repository = repository
        self.folder = scratch
        self.alternates = [repository / "objects", *others]
        self._where = {
            "GIT_DIR": str(repository),
            "GIT_OBJECT_DIRECTORY": str(scratch),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(map(str, self.alternates)),
        }

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        accept: Sequence[int] = (0,),
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git on these objects and return what it printed."""
        return run_git(
            *arguments,
            folder=self.folder,
            given=given,
            accept=accept,
            variables={**self._where, **(more or {})},
        ).output

    def text(self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None) -> str:
        """Run git on these objects and return what it printed, without the last line's end."""
        return self.run(*arguments, given=given, more=more).decode(errors="surrogateescape").rstrip("\n")

    def commit(self, tree: str, *parents: str) -> str:
        """Return a commit of *tree* that only this store holds."""
        named = [word for parent in parents for word in ("-p", parent)]
        return self.text("commit-tree", tree, *named, given=b"side of a merge\n", more=_nowhen)

    def merge(self, base: str, ours: str, theirs: str) -> Merge:
        """Merge the trees *ours* and *theirs*, which both come from *base*."""
        root = self.commit(base)
        return self._merged(self.commit(ours, root), self.commit(theirs, root))

    def differences(self, *pairs: tuple[str, str]) -> list[list[Difference]]:
        """Return the differences of each pair of trees, renames followed."""
        found: list[list[Difference]] = []
        # One process for all pairs: it prints each pair, then what differs.
        given = "".join(f"{first} {second}\n" for first, second in pairs).encode()
        fields = self.run(
            *(*_merging, "diff-tree", "--stdin", "-r", "-z", "-M", "--raw", "--no-abbrev"), given=given
        ).split(b"\0")
        pieces = iter(fields)
        headings = {f"{first} {second}\n".encode() for first, second in pairs}
        # A pair's heading ends in a line's end, not in a zero byte, so it clings to the first field after it.
        for piece in pieces:
            rest = piece
            while (heading := rest[: rest.find(b"\n") + 1]) in headings and heading:
                found.append([])
                rest = rest[len(heading) :]
            if rest:
                found[-1].append(_difference(rest, pieces))
        return found

    def files(self, tree: str) -> dict[str, Entry]:
        """Return every file of *tree* by path."""
        listed = self.run("ls-tree", "-r", "-z", tree)
        found = {}
        for line in filter(None, listed.split(b"\0")):
            about, _, path = line.partition(b"\t")
            mode, _, blob = about.decode().split(" ")
            found[_text(path)] = Entry(mode, blob)
        return found

    def content(self, entry: Entry | None) -> bytes:
        """Return the bytes of a file; none if there is no file."""
        return self.run("cat-file", "blob", entry.blob) if entry else b""

    def store(self, content: bytes) -> str:
        """Store *content*; return its blob."""
        return self.text("hash-object", "-w", "--stdin", "--no-filters", given=content)

    def with_files(self, tree: str, files: Mapping[str, Entry | None]) -> str:
        """Return *tree* with each of *files* in place of what is at its path; None removes it."""
        if not files:
            return tree
        index = {"GIT_INDEX_FILE": str(self.folder / f"index-{os.getpid()}")}
        self.run("read-tree", tree, more=index)
        zero = "0" * len(tree)
        lines = [
            f"{entry.mode} {entry.blob}\t{path}\0" if entry else f"0 {zero}\t{path}\0"
            for path, entry in files.items()
        ]
        self.run(
            *("update-index", "-z", "--index-info"),
            given="".join(lines).encode(errors="surrogateescape"),
            more=index,
        )
        return self.text("write-tree", more=index)

    def grafted(self, commit: str, prefix: str, tree: str) -> str:
        """Return the tree of *commit* with *tree* as its folder *prefix*, all of it where that is empty."""
        if not prefix:
            return tree
        index = {"GIT_INDEX_FILE": str(self.folder / f"index-{os.getpid()}")}
        self.run("read-tree", commit, more=index)
        # What is there must go first: read-tree puts a folder only where none is.
        gone = self.run("ls-files", "-z", "--", prefix, more=index)
        self.run(
            "update-index",
            "-z",
            "--force-remove",
            "--stdin",
            given=gone,
            more={**index, "GIT_WORK_TREE": str(self.folder)},
        )
        self.run("read-tree", f"--prefix={prefix}", tree, more=index)
        return self.text("write-tree", more=index)

    def _merged(self, ours: str, theirs: str) -> Merge:
        output = self.run(
            *_merging, "merge-tree", "--write-tree", "-z", "--messages", ours, theirs, accept=(0, 1)
        )
        fields = output.split(b"\0")
        conflicts: dict[str, dict[str, Entry]] = {}
        position = 1
        while position < len(fields) and fields[position]:
            about, _, path = fields[position].partition(b"\t")
            mode, blob, stage = about.decode().split(" ")
            conflicts.setdefault(_text(path), {})[("base", "ours", "theirs")[int(stage) - 1]] = Entry(
                mode, blob
            )
            position += 1
        told = _told(fields[position + 1 :])
        return Merge(fields[0].decode(), {path: Stages(**sides) for path, sides in conflicts.items()}, told)


def require_git() -> str:
    """Return the version of git.

    Raises:
        UpgradeError: it is older than 2.38, which cannot merge trees.
    """
    said = git("version", folder=Path.cwd()).strip()
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < minimum_git:
        raise UpgradeError(f"git: {said.split()[2]} cannot merge trees; install git 2.38 or newer")
    return said


def _told(fields: list[bytes]) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    told = []
    pieces = iter(fields)
    for count in pieces:
        if not count:
            continue
        paths = tuple(_text(next(pieces)) for _ in range(int(count)))
        told.append((next(pieces).decode(), paths, _text(next(pieces)).strip()))
    return tuple(told)


def _difference(about: bytes, pieces: Iterable[bytes]) -> Difference:
    old_mode, new_mode, old_blob, new_blob, status = about.decode().removeprefix(":").split(" ")
    following = iter(pieces)
    first = _text(next(following))
    second = _text(next(following)) if status[0] in "RC" else first
    return Difference(
        path=second,
        old_path=None if status[0] == "A" else first,
        old=None if status[0] == "A" else Entry(old_mode, old_blob),
        new=None if status[0] == "D" else Entry(new_mode, new_blob),
    )


def _text(path: bytes) -> str:
    return path.decode(errors="surrogateescape")
