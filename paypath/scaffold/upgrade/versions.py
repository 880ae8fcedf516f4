"""The versions of a template: found in its source, each laid out once for all renders that need it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import mkdtemp

from packaging.version import InvalidVersion, Version

from paypath.scaffold._record import Release, recorded, released_commit
from paypath.scaffold.errors import did_you_mean
from paypath.scaffold.git import GitFailed, git, run_git
from paypath.scaffold.layout import described, lay_out, parts
from paypath.scaffold.upgrade.errors import UnknownVersion


@dataclass(frozen=True)
class TemplateVersion:
    """One version of a template.

    Attributes:
        name: what answers files call it: its release, or what ``git describe --tags --always`` says.
        commit: its commit in the source.
        repository: the source's git folder.
        digest: says what renders are made of: equal digests make equal renders of equal answers.
        folder: where its files lie, to be read only.
    """

    name: str
    commit: str
    repository: Path
    digest: str
    folder: Path

    def read(self, path: str) -> str | None:
        """Return the text of the file *path* at this version, if there is one."""
        return _file(self.repository, self.commit, path)


@dataclass
class TemplateSource:
    """Where a template's versions are found.

    Attributes:
        origin: how messages call it.
        repository: a git repository with all of its versions.
        checkouts: the folder in which versions are laid out.
        carried_by: the version of the tool that carried this copy of its releases; None if it is the source.
    """

    origin: str
    repository: Path
    checkouts: Path
    carried_by: str | None = None
    _found: dict[str, TemplateVersion] = field(default_factory=dict)

    @cached_property
    def tags(self) -> dict[str, str]:
        """Every tag, with the commit that it names."""
        form = "%(refname:strip=2) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        listed = git("for-each-ref", f"--format={form}", "refs/tags", folder=self.repository)
        return dict(line.rsplit(" ", 1) for line in listed.splitlines())

    @cached_property
    def untagged(self) -> dict[str, Release]:
        """The releases that only the record in the repository names, by the tag that they had."""
        return {release.tag: release for release in recorded(self.repository) if release.tag not in self.tags}

    @cached_property
    def releases(self) -> list[str]:
        """The releases, oldest first: tags that are PEP 440 versions, as copier has it, and the record's."""
        names = (name for name in (*self.tags, *self.untagged) if version_number(name))
        return sorted(names, key=lambda name: version_number(name) or _zero)

    @cached_property
    def newest(self) -> str | None:
        """The newest release that is no pre-release, if there is any."""
        final = [tag for tag in self.releases if not (version_number(tag) or _zero).is_prerelease]
        return final[-1] if final else None

    def release_of(self, ref: str) -> str | None:
        """Return the release that *ref* names, with or without its "v"; None if it names none."""
        return next((name for name in (ref, f"v{ref}") if name in self.releases), None)

    def lacking(self, versions: Iterable[str]) -> list[str]:
        """Return those of *versions* that are no releases here."""
        return [ref for ref in versions if self.release_of(ref) is None]

    def at(self, ref: str) -> TemplateVersion:
        """Return the version that *ref* names: a release, with or without its "v", a branch or a commit.

        Raises:
            UnknownVersion: there is none.
        """
        if ref not in self._found:
            commit = self._commit_of(ref)
            digest = self._digest_of(commit)
            self._found[ref] = TemplateVersion(
                self._name_of(ref, commit), commit, self.repository, digest, self._laid_out(commit, digest)
            )
        return self._found[ref]

    def contains(self, newer: TemplateVersion, older: TemplateVersion) -> bool:
        """Tell whether *older* is part of the history of *newer*."""
        ran = run_git(
            "merge-base", "--is-ancestor", older.commit, newer.commit, folder=self.repository, accept=(0, 1)
        )
        return ran.code == 0

    def _commit_of(self, ref: str) -> str:
        for name in (ref, f"v{ref}"):
            if name in self.untagged:
                return released_commit(self.repository, self.untagged[name])
        # What describe says of a commit between releases ends in its abbreviated id, which git understands.
        for name in (ref, f"v{ref}", f"origin/{ref}"):
            try:
                return git(
                    *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"),
                    folder=self.repository,
                ).strip()
            except GitFailed:
                continue
        raise UnknownVersion(
            f"{self.origin}: there is no version {ref}; "
            f"{did_you_mean(ref, self.releases or ['HEAD'])} (fetch the template's tags if it should be "
            "there)"
        )

    def _name_of(self, ref: str, commit: str) -> str:
        if (release := self.release_of(ref)) is not None:
            return release
        return described(self.repository, commit)

    def _digest_of(self, commit: str) -> str:
        listed = git("ls-tree", commit, "--", *parts, folder=self.repository)
        if "\ttemplates\n" not in f"{listed}\n":
            listed = git("rev-parse", f"{commit}^{{tree}}", folder=self.repository)
        return hashlib.sha256(listed.encode()).hexdigest()[:32]

    def _laid_out(self, commit: str, digest: str) -> Path:
        """Lay the template's files out, once for all processes: written aside, then renamed."""
        folder = self.checkouts / digest
        if folder.is_dir():
            return folder
        self.checkouts.mkdir(parents=True, exist_ok=True)
        aside = Path(mkdtemp(prefix=".aside-", dir=self.checkouts))
        lay_out(self.repository, commit, aside)
        try:
            aside.rename(folder)
        except OSError:  # another process was quicker
            shutil.rmtree(aside, ignore_errors=True)
        return folder


_zero = Version("0")


@lru_cache(maxsize=64)
def _file(repository: Path, commit: str, path: str) -> str | None:
    try:
        return git("show", f"{commit}:{path}", folder=repository)
    except GitFailed:
        return None


def version_number(name: str) -> Version | None:
    """Return the PEP 440 version that *name* is, if it is one.

    Examples:
        >>> version_number("v1.10.0") > version_number("v1.9.0"), version_number("payments-v2")
        (True, None)
    """
    try:
        return Version(name)
    except InvalidVersion:
        return None
