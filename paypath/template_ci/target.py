"""The templates that are tested, in a repository beside the checkout's: its history, and a commit to test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paypath.scaffold.errors import BadInput
from paypath.scaffold.git import GitFailed, git
from paypath.scaffold.questions import kinds_of
from paypath.scaffold.sources import Source
from paypath.scaffold.upgrade.opening import Templates
from paypath.scaffold.upgrade.versions import TemplateSource, TemplateVersion

_templates = ("copier.yml", "templates")
_us = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Paypath"), ("EMAIL", "paypath@localhost"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is tested.

    Attributes:
        repository: a bare repository with the whole history, which nobody else changes.
        source: the versions in it.
        version: the version that is tested.
        base: the checkout's commit.
        uncommitted: how many templates differ from it in the work tree.
        worktree: whether those differences are tested too.
    """

    repository: Path
    source: TemplateSource
    version: TemplateVersion
    base: str
    uncommitted: int
    worktree: bool

    def kinds(self) -> list[str]:
        """Return the kinds that are tested."""
        return _kinds(self.version)

    def released(self, more: Sequence[str] = ()) -> dict[str, list[str]]:
        """Return the kinds of each release, tagged or recorded, oldest first, and of the commits *more*.

        Raises:
            ScaffoldError: a release is not in the history, or *more* names what is not there.
        """
        versions = {name: self.source.at(name) for name in (*self.source.releases, *more)}
        return {
            name: [kind for kind in _kinds(old) if (old.folder / "templates" / kind).is_dir()]
            for name, old in versions.items()
        }

    def about(self) -> dict[str, Any]:
        """Return what a report says of it."""
        return {
            "version": self.version.name,
            "commit": self.base,
            "uncommitted": self.uncommitted,
            "worktree": self.worktree,
        }


def open_target(checkout: Path, room: Path, *, worktree: bool) -> Target:
    """Copy the history of *checkout* into the folder *room*, and return what is to be tested.

    Nothing in the checkout is changed. With *worktree* its templates count as they lie there, but for those
    that git ignores.

    Raises:
        BadInput: *checkout* is no repository with its whole history.
    """
    try:
        base = git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", folder=checkout).strip()
    except GitFailed as error:
        raise BadInput(
            f"{checkout}: is no git repository with a commit, so it has no releases to upgrade from; "
            "run this in a clone"
        ) from error
    if git("rev-parse", "--is-shallow-repository", folder=checkout).strip() == "true":
        raise BadInput(f"{checkout}: this clone is shallow and lacks releases; `git fetch --unshallow` first")
    repository = room / "source.git"
    git("clone", "--quiet", "--bare", "--shared", "--", str(checkout), str(repository), folder=room)
    changed = git("status", "--porcelain", "--untracked-files=all", "--", *_templates, folder=checkout)
    commit = _with_worktree(checkout, repository, base) if worktree else base
    # A branch for it, so that git's own housekeeping leaves it alone.
    git("update-ref", "refs/heads/under-test", commit, folder=repository)
    source = Templates(room / "target", room).open(str(repository))
    return Target(
        repository=repository,
        source=source,
        version=source.at(commit),
        base=base,
        uncommitted=len(changed.splitlines()),
        worktree=worktree,
    )


def _kinds(version: TemplateVersion) -> list[str]:
    return [kind.name for kind in kinds_of(Source(version.name, version.folder))]


def _with_worktree(checkout: Path, repository: Path, base: str) -> str:
    """Commit the templates of the work tree on top of *base*, in *repository* alone."""
    here = {
        "GIT_DIR": str(repository),
        "GIT_WORK_TREE": str(checkout),
        "GIT_INDEX_FILE": str(repository / "work-tree.index"),
    }
    git("read-tree", base, folder=checkout, **here)
    git("-c", "core.autocrlf=false", "add", "--all", "--", *_templates, folder=checkout, **here)
    tree = git("write-tree", folder=checkout, **here).strip()
    if tree == git("rev-parse", f"{base}^{{tree}}", folder=repository).strip():
        return base
    message = ("-m", "The work tree as it is")
    return git("commit-tree", tree, "-p", base, *message, folder=repository, **_us).strip()
