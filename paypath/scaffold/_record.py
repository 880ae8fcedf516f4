"""The record of releases: which commit each released template is, so that a clone without tags finds it.

`templates/releases.json` holds one entry a release. A commit cannot hold its own id, so the entry is written
by the commit that follows the released one. Should the history have been written anew since, the id in the
entry names nothing, and the hash of the templates finds the commit instead.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.git import GitFailed, git

record_file = "templates/releases.json"
rendered_paths = ("copier.yml", "templates")
_version = re.compile(r"v?(\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One released version of the platform and its templates.

    Attributes:
        version: three numbers, such as ``0.2.0``.
        commit: the full id of the released commit.
        template_hash: `template_hash` of that commit; equal hashes render equal services.
        date: the day of the release, ISO 8601.
    """

    version: str
    commit: str
    template_hash: str
    date: str

    @property
    def tag(self) -> str:
        """Return the name of its tag, which is also how a service remembers it."""
        return f"v{self.version}"

    @property
    def number(self) -> tuple[int, ...]:
        """Return what releases are ordered by."""
        return version_number(self.version)


def version_of(ref: str) -> str | None:
    """Return the version that *ref* may name, if it looks like one.

    Examples:
        >>> version_of("v0.2.0"), version_of("0.2.0"), version_of("main"), version_of("v1.0.0rc1")
        ('0.2.0', '0.2.0', None, None)
    """
    found = _version.fullmatch(ref)
    return found[1] if found else None


def version_number(version: str) -> tuple[int, ...]:
    """Return what *version* is ordered by: its three numbers."""
    return tuple(map(int, version.split(".")))


def template_hash(repository: Path, commit: str) -> str:
    """Return a hash of all that decides what *commit* of *repository* renders.

    It covers `copier.yml` and the folders in `templates/`: path, mode and content. The files that lie in
    `templates/` itself are for maintainers and render nothing; the record is one of them.

    Raises:
        GitFailed: there is no such commit.
    """
    listed = git("ls-tree", "-r", "-z", "--full-tree", commit, "--", *rendered_paths, folder=repository)
    digest = hashlib.sha256()
    for entry in filter(None, listed.split("\0")):
        about, _, path = entry.partition("\t")
        if path.startswith("templates/") and path.count("/") == 1:
            continue
        mode, _, content = about.split()
        digest.update(f"{mode} {content} {path}\n".encode())
    return digest.hexdigest()


def read_record(text: str) -> list[Release]:
    """Return the entries of a record, in its order.

    Raises:
        ScaffoldError: *text* is no record.
    """
    try:
        return [Release(**entry) for entry in json.loads(text)["releases"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ScaffoldError(
            f"{record_file}: no record of releases ({error}); restore it from the repository's history"
        ) from error


def write_record(releases: list[Release]) -> str:
    """Return the text of a record of *releases*, oldest first."""
    entries = [
        {
            "version": release.version,
            "commit": release.commit,
            "template_hash": release.template_hash,
            "date": release.date,
        }
        for release in sorted(releases, key=lambda release: release.number)
    ]
    return json.dumps({"releases": entries}, indent=2) + "\n"


def recorded(repository: Path, commit: str = "HEAD") -> list[Release]:
    """Return the releases in the record of *commit*, oldest first; none where there is no record."""
    try:
        text = git("show", f"{commit}:{record_file}", folder=repository)
    except GitFailed:
        return []
    return sorted(read_record(text), key=lambda release: release.number)


def tagged(repository: Path) -> dict[str, str]:
    """Return the commit of each version that has a tag ``vX.Y.Z`` in *repository*."""
    form = "%(refname:strip=2) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
    listed = git("for-each-ref", f"--format={form}", "refs/tags", folder=repository)
    tags = dict(line.split() for line in listed.splitlines())
    return {tag[1:]: commit for tag, commit in tags.items() if tag.startswith("v") and version_of(tag)}


def known_releases(repository: Path) -> list[Release]:
    """Return every release of *repository* that its tags or its record name, oldest first.

    The record has the last word. A tag without an entry counts by its commit.
    """
    found = {release.version: release for release in recorded(repository)}
    for version, commit in tagged(repository).items():
        if version not in found:
            found[version] = Release(
                version=version,
                commit=commit,
                template_hash=template_hash(repository, commit),
                date=git("show", "--no-patch", "--format=%cs", commit, folder=repository).strip(),
            )
    return sorted(found.values(), key=lambda release: release.number)


def released_commit(repository: Path, release: Release) -> str:
    """Return the commit of *repository* that renders what *release* did.

    That is the recorded one. Where it is gone, because history was written anew, it is the newest commit with
    the recorded templates.

    Raises:
        ScaffoldError: no commit has them, or the tag names a commit with other templates.
    """
    tag = tagged(repository).get(release.version)
    if tag is not None and template_hash(repository, tag) != release.template_hash:
        raise ScaffoldError(
            f"{release.tag}: the tag is on {tag[:12]}, whose templates are not the released ones of "
            f"{release.commit[:12]} ({record_file}); find out who moved it, and delete or restore the tag"
        )
    for commit in (release.commit, tag):
        if commit is not None and _renders(repository, commit, release.template_hash):
            return commit
    listed = git("rev-list", "HEAD", "--", *rendered_paths, folder=repository)
    for commit in listed.split():
        if _renders(repository, commit, release.template_hash):
            return commit
    raise ScaffoldError(
        f"{release.tag}: commit {release.commit[:12]} is not in {repository}, nor any other with its "
        "templates; fetch the whole history (`git fetch --unshallow`), or name the repository's URL"
    )


def _renders(repository: Path, commit: str, wanted: str) -> bool:
    try:
        return template_hash(repository, commit) == wanted
    except GitFailed:
        return False
