"""Where the templates come from: the checkout that holds this tool, a folder, a git URL, or the tool itself.

A release can be named wherever it is known: by its tag, by the record in the repository, or by the archive
that an installed tool carries.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from paypath.scaffold._carried import Carried, carried, unpack
from paypath.scaffold._installation import Installation, installation, same_repository
from paypath.scaffold._record import Release, known_releases, released_commit, version_of
from paypath.scaffold.errors import BadInput, ScaffoldError, did_you_mean
from paypath.scaffold.git import GitFailed, git
from paypath.scaffold.layout import configuration, lay_out, parts


@dataclass(frozen=True, slots=True)
class Source:
    """Templates that can be read and rendered.

    Attributes:
        origin: the git URL or the absolute folder that they came from, which the service remembers.
        folder: where they lie now.
        commit: which commit of *folder* counts; without one, its files as they are.
        notes: what the user should know about this choice.
        release: the release that it is, where one was named or is the default.
    """

    origin: str
    folder: Path
    commit: str | None = None
    notes: tuple[str, ...] = ()
    release: Release | None = None

    def read(self, path: str) -> str | None:
        """Return the text of the file at *path* in this source, if there is one."""
        if self.commit is not None:
            return _file(self.folder, self.commit, path)
        file = self.folder / path
        return file.read_text(encoding="utf-8") if file.is_file() else None


@lru_cache(
    maxsize=32
)  # a commit does not change, and `new` looks at the questions before and after the render
def _file(folder: Path, commit: str, path: str) -> str | None:
    try:
        return git("show", f"{commit}:{path}", folder=folder)
    except GitFailed:
        return None


@contextmanager
def open_source(
    given: str | None = None, *, ref: str | None = None, worktree: bool = False
) -> Iterator[Source]:
    """Find the templates, and clean up after the block.

    Args:
        given: a git URL or a folder; by default the checkout that holds this tool, or else what it carries.
        ref: a release such as ``v0.2.0``, tagged or not, or a tag, branch or commit; by default HEAD of a
            checkout, the newest release of a URL, and the release that an installed tool is of.
        worktree: take the files of a checkout as they are, committed or not.

    Raises:
        BadInput: there are no templates at *given*, or *ref* is not there.
        ScaffoldError: the URL cannot be read.
    """
    with TemporaryDirectory(prefix="paypath-source-") as scratch:
        source = _opened(given, ref, Path(scratch), worktree=worktree)
        if source.read(configuration) is None:
            at = f" at {ref or 'HEAD'}" if source.commit else ""
            raise BadInput(
                f"--source: {source.origin} holds no {configuration}{at}; "
                "name a checkout of the platform or a URL"
            )
        yield source


def installed_source() -> str:
    """Return the checkout, or the URL, that this tool was installed from.

    Raises:
        BadInput: it was installed without its templates.
    """
    return installation().place


def releases(source: str | None = None) -> list[Release]:
    """Return the releases that `open_source` finds at *source*, oldest first; *source* is as `given` there.

    Raises:
        BadInput: there is no such folder.
        ScaffoldError: the URL cannot be read, or the record in it.
    """
    here = installation() if source is None else None
    if here is not None and here.checkout is None and (carries := carried()) is not None:
        return list(carries.releases)
    place = source or (here.place if here else "")
    with TemporaryDirectory(prefix="paypath-source-") as scratch:
        folder = _clone(place, Path(scratch) / "clone") if is_url(place) else _folder(place)
        return known_releases(folder) if (folder / ".git").exists() else []


def is_url(given: str) -> bool:
    """Tell whether *given* names a repository to clone rather than a folder.

    Examples:
        >>> is_url("https://git.example.org/acme/paypath.git"), is_url("git@git.example.org:acme/paypath.git")
        (True, True)
        >>> is_url("../paypath"), is_url("/srv/paypath.git")
        (False, False)
    """
    return bool(re.match(r"([a-z+]+://|gh:|gl:|[\w.-]+@[\w.-]+:)", given))


def address_of(url: str) -> str:
    """Return *url*, in any form that copier understands, as git understands it.

    Examples:
        >>> address_of("gh:acme/paypath"), address_of("git+https://git.example.org/acme/paypath")
        ('https://github.com/acme/paypath', 'https://git.example.org/acme/paypath')
    """
    address = re.sub(r"^git\+", "", url)
    address = re.sub(r"^gh:/?", "https://github.com/", address)
    return re.sub(r"^gl:/?", "https://gitlab.com/", address)


def without_credentials(url: str) -> str:
    """Return *url* as it may be shown and stored.

    Examples:
        >>> without_credentials("https://user:secret@git.example.org/acme/paypath.git")
        'https://git.example.org/acme/paypath.git'
        >>> without_credentials("ssh://git@git.example.org/acme/paypath.git")
        'ssh://git@git.example.org/acme/paypath.git'
    """
    return re.sub(
        r"^((?:git\+)?https?://)[^/]*@", r"\1", re.sub(r"^([a-z+]+://[^/:@]*):[^/@]*@", r"\1@", url)
    )


def snapshot(checkout: Path, destination: Path) -> Path:
    """Copy the templates of *checkout* as they are, without what git ignores; return *destination*."""
    listed = git(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *parts, folder=checkout
    )
    for name in sorted(set(filter(None, listed.split("\0")))):
        file = checkout / name
        if file.is_symlink() or file.is_file():  # a deleted file is still listed
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target, follow_symlinks=False)
    return destination


def _opened(given: str | None, ref: str | None, scratch: Path, *, worktree: bool) -> Source:
    if given is None:
        here = installation()
        carries = carried() if here.checkout is None and not worktree else None
        if carries is not None and (source := _from_tool(here, ref, carries, scratch)):
            return source
        given, ref = here.place, ref or here.commit
    elif is_url(given) and ref is not None and (version := version_of(ref)) and not worktree:
        # The tool carries its own repository's releases: no need to ask the network for what never changes.
        carries = carried()
        if (
            carries
            and (release := carries.get(version))
            and same_repository(given, installation().repository)
        ):
            return _unpacked(given, release, scratch)
    if worktree and (ref is not None or is_url(given)):
        raise BadInput("--worktree: only a checkout has uncommitted files; leave out --ref, or name a folder")
    if is_url(given):
        return _cloned(given, ref, scratch)
    folder = _folder(given)
    if not (folder / ".git").exists():
        if ref is not None:
            raise BadInput(f"--ref: {given} is a folder without git, so it has no {ref}; leave out --ref")
        return Source(str(folder), folder)
    if worktree:
        return Source(str(folder), snapshot(folder, scratch / "snapshot"))
    return _committed(folder, ref, scratch)


def _from_tool(here: Installation, ref: str | None, carries: Carried, scratch: Path) -> Source | None:
    """Return what an installed tool carries, or None where that is not what is asked for."""
    notes: tuple[str, ...] = ()
    release = carries.get((version_of(ref) if ref else carries.built_at) or "")
    if release is None and ref is None and here.commit is None and carries.releases:
        release = carries.releases[-1]
        notes = (f"this paypath was built between two releases; {release.tag}, its newest, is rendered",)
    if release is None:
        return None
    if here.repository is None:
        raise BadInput(
            "--source: this paypath does not know the git URL that it comes from, and a service has to "
            "remember one; name it, as in --source https://git.example.org/acme/paypath.git"
        )
    return _unpacked(here.repository, release, scratch, notes)


def _unpacked(url: str, release: Release, scratch: Path, notes: tuple[str, ...] = ()) -> Source:
    folder = unpack(release, scratch / release.tag)
    return Source(without_credentials(url), folder, notes=notes, release=release)


def _folder(given: str) -> Path:
    folder = Path(given).resolve()
    if not folder.is_dir():
        raise BadInput(f"--source: there is no folder {given}; name a checkout of the platform or a git URL")
    return folder


def _released(origin: str, repository: Path, ref: str, scratch: Path) -> Source | None:
    """Return the release that *ref* names; None where it names none.

    Under its tag it is a commit like any other. Without one, or with others beside it, of which copier would
    take one for the version, it is a plain folder: there templates write their own version into a service.
    """
    version = version_of(ref)
    release = next((one for one in known_releases(repository) if one.version == version), None)
    if release is None:
        return None
    commit = released_commit(repository, release)
    if git("tag", "--points-at", commit, folder=repository).split() == [release.tag]:
        return Source(origin, repository, commit, release=release)
    folder = scratch / release.tag
    folder.mkdir()
    return Source(origin, lay_out(repository, commit, folder), release=release)


def _committed(checkout: Path, ref: str | None, scratch: Path) -> Source:
    if ref is not None and (source := _released(str(checkout), checkout, ref, scratch)):
        return source
    try:
        commit = _commit_of(checkout, ref or "HEAD")
    except GitFailed as error:
        if ref is None:
            raise ScaffoldError(f"--source: {checkout} has no commit to render; {error}") from error
        known = [release.tag for release in known_releases(checkout)]
        raise BadInput(
            f"--ref: there is no {ref} in {checkout}; {did_you_mean(ref, known or ['HEAD'])}"
        ) from error
    changed = git(
        "status", "--porcelain", "--untracked-files=all", "--", *parts, folder=checkout
    ).splitlines()
    if not changed:
        return Source(str(checkout), checkout, commit)
    count = f"{len(changed)} uncommitted template {'change is' if len(changed) == 1 else 'changes are'}"
    return Source(
        str(checkout),
        checkout,
        commit,
        (f"{count} not rendered ({checkout}); commit them, or pass --worktree",),
    )


def _cloned(url: str, ref: str | None, scratch: Path) -> Source:
    public = without_credentials(url)
    folder = _clone(url, scratch / "clone")
    known = known_releases(folder)
    wanted = ref or (known[-1].tag if known else "HEAD")
    if source := _released(public, folder, wanted, scratch):
        return source
    for candidate in (wanted, f"origin/{wanted}"):
        try:
            return Source(public, folder, _commit_of(folder, candidate))
        except GitFailed:
            continue
    tags = [release.tag for release in known]
    raise BadInput(f"--ref: there is no {wanted} at {public}; {did_you_mean(wanted, tags or ['HEAD'])}")


def _clone(url: str, folder: Path) -> Path:
    address = address_of(url)
    public = without_credentials(url)
    try:
        git("clone", "--quiet", "--no-checkout", "--", address, str(folder), folder=folder.parent)
    except GitFailed as error:
        said = str(error).replace(address, public)
        raise ScaffoldError(f"--source: {public} cannot be read; {said}") from error
    return folder


def _commit_of(folder: Path, ref: str) -> str:
    return git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", folder=folder
    ).strip()
