"""A service as its repository holds it: read from a commit, so the work tree may be dirty, or not there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.git import GitFailed, run_git
from paypath.scaffold.render import answers_file
from paypath.scaffold.upgrade.answers import Answers, read_answers
from paypath.scaffold.upgrade.errors import NoService


@dataclass(frozen=True, slots=True)
class Service:
    """A service at the commit that is checked out, or that HEAD of a bare clone names.

    Attributes:
        folder: where it lies; of a bare clone the repository.
        repository: its git folder, common to all its work trees.
        top: the top of its work tree; None for a bare clone.
        prefix: where it lies in its repository, such as ``services/till/``; empty at the top.
        commit: the commit.
        tree: the git tree of the service in it.
        text: its answers file; None if it has none.
    """

    folder: Path
    repository: Path
    top: Path | None
    prefix: str
    commit: str
    tree: str
    text: str | None

    @property
    def name(self) -> str:
        """What to call it in a list: the last part of its path."""
        return Path(self.prefix).name or self.folder.name.removesuffix(".git") or str(self.folder)

    def answers(self) -> Answers:
        """Return its answers.

        Raises:
            NoService: it has no answers file, or one that says too little.
        """
        where = f"{self.folder / answers_file}"
        if self.text is None:
            raise NoService(
                f"{where}: not committed, so nobody knows its template; bring it in with `paypath adopt`"
            )
        return read_answers(self.text, where)


def find_service(folder: Path, *, within: str = "", commit: str = "HEAD") -> Service:
    """Return the service at *folder*.

    Args:
        folder: the service's folder in a work tree, a linked one too; or a repository.
        within: where the service lies below *folder*, for a bare clone of many services.
        commit: another commit than the one that is checked out.

    Raises:
        NoService: there is no repository, it has no commit, or nothing is committed there.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # links stay, so that messages say what was typed
    if not folder.is_dir():
        raise NoService(f"{folder}: there is no such folder; name the folder of a service")
    wanted = ("--is-bare-repository", "--git-common-dir", "--show-prefix", f"{commit}^{{commit}}")
    try:
        said = run_git("rev-parse", *wanted, folder=folder).output.decode(errors="surrogateescape")
    except GitFailed as error:
        why = "its repository has no commit" if "HEAD" in str(error) else "it is not in a git repository"
        raise NoService(
            f"{folder}: {why}; commit the service first (git init, git add, git commit)"
        ) from error
    bare, common, inside, found = said.split("\n")[:4]
    within = within.strip("/")
    prefix = f"{inside}{within}/" if within else inside
    top = None if bare == "true" else Path(str(folder)[: -len(inside) - 1] if inside else folder)
    tree, text = _read(folder, found, prefix)
    if tree is None:
        raise NoService(f"{folder / within}: nothing is committed there; commit the service first")
    return Service(folder / within, (folder / common).resolve(), top, prefix, found, tree, text)


def _read(folder: Path, commit: str, prefix: str) -> tuple[str | None, str | None]:
    asked = f"{commit}:{prefix}\n{commit}:{prefix}{answers_file}\n"
    output = run_git("cat-file", "--batch", folder=folder, given=asked.encode()).output
    found: list[tuple[str, bytes] | None] = []
    while output:
        head, _, output = output.partition(b"\n")
        if head.endswith((b" missing", b" ambiguous")):
            found.append(None)
            continue
        name, kind, size = head.decode().rsplit(" ", 2)
        found.append((name, output[: int(size)]) if kind in {"tree", "blob"} else None)
        output = output[int(size) + 1 :]
    tree, text = found
    return tree[0] if tree else None, text[1].decode(errors="replace") if text else None
