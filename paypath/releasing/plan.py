"""What a release would do, and every reason why it cannot be made as things stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from paypath.releasing import changelog
from paypath.releasing.versions import disagreements, versions
from paypath.scaffold._record import known_releases, version_number
from paypath.scaffold.errors import BadInput
from paypath.scaffold.git import GitFailed, git

changelog_file = "CHANGELOG.md"
_any_version = re.compile(r"v?\d+(\.\d+)*((a|b|rc)\d+)?(\.?(post|dev)\d+)?")


class Refused(BadInput):
    """The release cannot be made as things stand. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a release would do.

    Attributes:
        version: the version.
        before: the version before it, or None for the first.
        commit: the commit of the past that is to be recorded; None where the release is still to be made.
        date: the day of the release, ISO 8601.
        files: the paths that change; the examples and the record come on top.
        section: what the changelog will say about it.
        left: what will stay under Unreleased.
    """

    version: str
    before: str | None
    commit: str | None
    date: str
    files: tuple[str, ...]
    section: str
    left: str = ""


def plan_release(root: Path, version: str, *, date: str, branch: str = "main") -> Plan:
    """Return what releasing *version* from the work tree at *root* would do; write nothing.

    Raises:
        Refused: it cannot be released, and why.
    """
    _require_ready(root, branch)
    before = _require_free(root, version)
    if before is not None and version_number(version) <= version_number(before):
        raise Refused(f"{version}: not higher than {before}, the last release; choose a higher one")
    stands = _tree_version(root, None)
    if version_number(version) < version_number(stands):
        raise Refused(f"{version}: lower than {stands}, which stands in pyproject.toml; choose a higher one")
    _require_untagged(root, "HEAD")
    section = changelog.unreleased(read(root, changelog_file))
    if not changelog.has_entries(section):
        raise Refused(f"{changelog_file}: nothing stands under Unreleased; say there what users can see")
    files = tuple(path for path in paths_of(root) if versions([path], lambda path: read(root, path)))
    return Plan(
        version=version,
        before=before,
        commit=None,
        date=date,
        files=(changelog_file, *files),
        section=section,
    )


def plan_past_release(
    root: Path, version: str, commit: str, *, date: str | None = None, branch: str = "main"
) -> Plan:
    """Return what recording that *commit*, in the past of *branch*, was *version* would do; write nothing.

    The tree of *commit* must carry the version already. What stood under Unreleased there becomes the
    version's section of today's changelog. *date* is by default the day of the commit.

    Raises:
        Refused: it cannot be recorded, and why.
    """
    _require_ready(root, branch)
    try:
        found = git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}", folder=root
        )
        git("merge-base", "--is-ancestor", found.strip(), "HEAD", folder=root)
    except GitFailed as error:
        raise Refused(f"--at: {commit} is no commit of {branch}; name one of its history") from error
    commit = found.strip()
    _require_free(root, version)
    wrong = disagreements(versions(paths_of(root, commit), lambda path: _show(root, commit, path)), version)
    if wrong:
        raise Refused(f"--at: {commit[:12]} is not {version}: {'; '.join(wrong)}")
    below = []
    for other in known_releases(root):
        earlier = _is_ancestor(root, other.commit, commit)
        if earlier != (version_number(other.version) < version_number(version)):
            where = "before" if earlier else "not before"
            raise Refused(f"{version}: {other.version} was released {where} it; versions go up with history")
        if earlier:
            below.append(other.version)
    _require_untagged(root, commit)
    section = changelog.unreleased(_show(root, commit, changelog_file))
    today = read(root, changelog_file)
    known = changelog.has_version(today, version)
    return Plan(
        version=version,
        before=max(below, key=version_number, default=None),
        commit=commit,
        date=date or git("show", "--no-patch", "--format=%cs", commit, folder=root).strip(),
        files=() if known else (changelog_file,),
        section=section,
        left=changelog.without(changelog.unreleased(today), section),
    )


def _require_ready(root: Path, branch: str) -> None:
    on = git("branch", "--show-current", folder=root).strip()
    if on != branch:
        raise Refused(f"branch: this is {on or 'no branch'}; releases are made on {branch}, so switch to it")
    if dirty := git("status", "--porcelain", folder=root).splitlines():
        count = f"{len(dirty)} file{'s' if len(dirty) > 1 else ''}"
        raise Refused(f"work tree: {count} not committed ({dirty[0].strip()}, …); commit or stash first")
    if git("rev-parse", "--is-shallow-repository", folder=root).strip() == "true":
        raise Refused("history: this clone is shallow; `git fetch --unshallow` first")


def _require_free(root: Path, version: str) -> str | None:
    """Return the newest release, after making sure that *version* is a version and is none yet."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise Refused(f'VERSION: "{version}" is no version; give three numbers, such as 0.2.0')
    known = known_releases(root)
    for other in known:
        if other.version == version:
            raise Refused(f"{version}: released already, as {other.commit[:12]} on {other.date}; go higher")
    return known[-1].version if known else None


def _require_untagged(root: Path, commit: str) -> None:
    """Refuse a second version on one commit: copier would compare one and store the other."""
    there = git("tag", "--points-at", commit, folder=root).split()
    if versions_there := [tag for tag in there if _any_version.fullmatch(tag)]:
        raise Refused(
            f"{commit[:12]}: tagged {versions_there[0]} already; with two versions on one commit "
            "`copier update` compares the one and stores the other, so release another commit"
        )


def _tree_version(root: Path, commit: str | None) -> str:
    found = versions(["pyproject.toml"], lambda path: _show(root, commit, path))["pyproject.toml"]
    if not found:
        raise Refused('pyproject.toml: no line `version = "X.Y.Z"`; the one version stands there')
    return found[0]


def paths_of(root: Path, commit: str | None = None) -> list[str]:
    """Return the paths of *commit*, or those that the work tree at *root* has under version control."""
    if commit is None:
        return git("ls-files", "-z", folder=root).strip("\0").split("\0")
    listed = git("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, folder=root)
    return listed.strip("\0").split("\0")


def _show(root: Path, commit: str | None, path: str) -> str:
    if commit is None:
        return read(root, path)
    try:
        return git("show", f"{commit}:{path}", folder=root)
    except GitFailed as error:
        raise Refused(f"--at: {commit[:12]} has no {path}; name a commit that has") from error


def read(root: Path, path: str) -> str:
    """Return the text of the file at *path* of the work tree."""
    return (root / path).read_text(encoding="utf-8")


def _is_ancestor(root: Path, one: str, other: str) -> bool:
    try:
        git("merge-base", "--is-ancestor", one, other, folder=root)
    except GitFailed:
        return False
    return True
