"""Undo an upgrade: before its merge its branch goes, after it a branch with the reverse is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.git import git, run_git
from paypath.scaffold.render import answers_file
from paypath.scaffold.upgrade.answers import read_answers
from paypath.scaffold.upgrade.commits import Chain, branch_of, trailer
from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.merges import Objects, Stages
from paypath.scaffold.upgrade.services import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What undoing did.

    Attributes:
        branch: the branch that was removed, or the one that was made.
        merged: whether the upgrade had been merged, so that *branch* reverses it.
        commit: what *branch* pointed to, or points to.
        version: the template version that the service has without the upgrade.
        exact: whether the service is, file by file, what it was before the upgrade.
        conflicts: files that the team changed since and that the reverse would change too; then nothing was
        made.
    """

    branch: str
    merged: bool
    commit: str
    version: str
    exact: bool = True
    conflicts: tuple[tuple[str, Stages], ...] = ()


def undo_upgrade(service: Service, scratch: Path) -> Undone:
    """Undo the newest upgrade of *service*; its work tree stays as it is.

    Raises:
        UpgradeError: there is none, or its branch is checked out or holds commits of somebody else.
    """
    branches = _unmerged(service)
    if branches:
        return _remove(service, *branches[0])
    return _reverse(service, scratch)


def _unmerged(service: Service) -> list[tuple[str, str]]:
    listed = git(
        *("for-each-ref", "--sort=-committerdate", "--format=%(refname:short) %(objectname)"),
        *("--no-merged", service.commit, f"refs/heads/{branch_of(service, '')}*"),
        folder=service.repository,
    )
    found = []
    here = service.answers().version
    for line in listed.splitlines():
        branch, commit = line.rsplit(" ", 1)
        shown = run_git(
            "show", f"{commit}:{service.prefix}{answers_file}", folder=service.repository, accept=(0, 128)
        )
        # A branch whose version is here already was merged as a squash or a rebase, which git cannot see.
        if shown.code == 0 and read_answers(shown.output.decode(), branch).version != here:
            found.append((branch, commit))
    return found


def _remove(service: Service, branch: str, commit: str) -> Undone:
    theirs = git(
        *(
            "log",
            f"--format=%h %(trailers:key={trailer},valueonly,separator=%x2C)",
            f"{service.commit}..{commit}",
        ),
        folder=service.repository,
    )
    strangers = [line.split()[0] for line in theirs.splitlines() if len(line.split()) < 2]  # noqa: PLR2004  # id, trailer
    if strangers:
        raise UpgradeError(
            f"{branch}: holds commits that no upgrade made ({', '.join(strangers)}); "
            f"if they may go, remove it with `git branch -D {branch}`"
        )
    checked_out = git(
        "for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}", folder=service.repository
    )
    if checked_out.strip():
        raise UpgradeError(
            f"{branch}: is checked out in {checked_out.strip()}; switch to another branch there first"
        )
    git("update-ref", "-d", f"refs/heads/{branch}", commit, folder=service.repository)
    return Undone(branch=branch, merged=False, commit=commit, version=service.answers().version)


def _reverse(service: Service, scratch: Path) -> Undone:
    newest, before = _newest_merged(service)
    objects = Objects(service.repository, scratch)
    after_tree = objects.text("rev-parse", f"{newest}:{service.prefix}")
    before_tree = objects.text("rev-parse", f"{before}:{service.prefix}")
    old = read_answers(objects.text("show", f"{before}:{service.prefix}{answers_file}"), answers_file)
    branch = f"paypath/undo-{service.answers().version}"
    if old.version == service.answers().version:
        raise UpgradeError(f"{service.name}: nothing to undo: no upgrade was made or merged")
    merge = objects.merge(after_tree, service.tree, before_tree)
    if merge.conflicts:
        return Undone(
            branch=branch,
            merged=True,
            commit="",
            version=old.version,
            exact=False,
            conflicts=tuple(merge.conflicts.items()),
        )
    chain = Chain(service, objects)
    subject = f"Undo the upgrade of the template from {old.version} to {service.answers().version}"
    chain.add("undo", merge.tree, f"{subject}\n\nThis reverses {newest}.\n")
    chain.publish(branch)
    # What the team did since stays; leave it aside, and the service must be what it was.
    back = objects.merge(service.tree, merge.tree, after_tree)
    exact = not back.conflicts and back.tree == before_tree
    return Undone(branch=branch, merged=True, commit=chain.tip, version=old.version, exact=exact)


def _newest_merged(service: Service) -> tuple[str, str]:
    """Return the commit that has the newest merged upgrade whole, and the one before it.

    It is found by what it did, so merges, squashes and rebases are all found: the newest commit of the
    branch's own line that changed the answers file, and the commits of the same upgrade that follow it.
    """
    path = f"{service.prefix}{answers_file}"
    line = git(
        *("log", "--first-parent", "--diff-merges=first-parent", "-2", "--format=%H %P", service.commit),
        *("--", f":(top){path}"),
        folder=service.top or service.repository,
    ).splitlines()
    if not line or len(line[0].split()) < 2:  # noqa: PLR2004  # a commit and its parent
        raise UpgradeError(f"{service.name}: nothing to undo: no upgrade was made or merged")
    newest, before = line[0].split()[:2]
    span = _span(service, newest)
    following = git(
        "rev-list", "--first-parent", "--reverse", f"{newest}..{service.commit}", folder=service.repository
    ).split()
    for commit in following:
        if span is None or _span(service, commit) != span:
            break
        newest = commit
    return newest, before


def _span(service: Service, commit: str) -> str | None:
    said = git(
        "log", "-1", f"--format=%(trailers:key={trailer},valueonly)", commit, folder=service.repository
    ).strip()
    return said or None
