"""Where the templates come from: the checkout that holds this tool, another folder, or a git URL."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

import paypath
from paypath.scaffold.errors import BadInput, ScaffoldError, did_you_mean
from paypath.scaffold.git import GitFailed, git

_configuration = "copier.yml"
_templates = (_configuration, "templates")
_release = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Source:
    """Templates that can be read and rendered.

    Attributes:
        origin: the git URL or the absolute folder that they came from, which the service remembers.
        folder: where they lie now.
        commit: which commit of *folder* counts; without one, its files as they are.
        notes: what the user should know about this choice.
    """

    origin: str
    folder: Path
    commit: str | None = None
    notes: tuple[str, ...] = ()

    def read(self, path: str) -> str | None:
        """Return the text of the file at *path* in this source, if there is one."""
        if self.commit is not None:
            try:
                return git("show", f"{self.commit}:{path}", folder=self.folder)
            except GitFailed:
                return None
        file = self.folder / path
        return file.read_text(encoding="utf-8") if file.is_file() else None


@contextmanager
def open_source(
    given: str | None = None, *, ref: str | None = None, worktree: bool = False
) -> Iterator[Source]:
    """Find the templates, and clean up after the block.

    Args:
        given: a git URL or a folder; by default the checkout, or the URL, that this tool was installed from.
        ref: a tag, branch or commit of it; by default HEAD of a checkout and the newest release of a URL.
        worktree: take the files of a checkout as they are, committed or not.

    Raises:
        BadInput: there are no templates at *given*, or *ref* is not there.
        ScaffoldError: the URL cannot be read.
    """
    if given is None:
        given, installed_ref = _installed()
        ref = ref or installed_ref
    if worktree and (ref is not None or is_url(given)):
        raise BadInput("--worktree: only a checkout has uncommitted files; leave out --ref, or name a folder")
    with TemporaryDirectory(prefix="paypath-source-") as scratch:
        if is_url(given):
            source = _cloned(given, ref, Path(scratch) / "clone")
        else:
            folder = Path(given).resolve()
            if not folder.is_dir():
                raise BadInput(
                    f"--source: there is no folder {given}; name a checkout of the platform or a git URL"
                )
            if (folder / ".git").exists():
                source = (
                    Source(str(folder), snapshot(folder, Path(scratch) / "snapshot"))
                    if worktree
                    else _committed(folder, ref)
                )
            elif ref is not None:
                raise BadInput(f"--ref: {given} is a folder without git, so it has no {ref}; leave out --ref")
            else:
                source = Source(str(folder), folder)
        if source.read(_configuration) is None:
            at = f" at {ref or 'HEAD'}" if source.commit else ""
            raise BadInput(
                f"--source: {given} holds no {_configuration}{at}; name a checkout of the platform or a URL"
            )
        yield source


def installed_source() -> str:
    """Return the checkout, or the URL, that this tool was installed from.

    Raises:
        BadInput: it was installed without its templates.
    """
    return _installed()[0]


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
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_templates, folder=checkout
    )
    for name in sorted(set(filter(None, listed.split("\0")))):
        file = checkout / name
        if file.is_symlink() or file.is_file():  # a deleted file is still listed
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target, follow_symlinks=False)
    return destination


def _committed(checkout: Path, ref: str | None) -> Source:
    try:
        commit = _commit_of(checkout, ref or "HEAD")
    except GitFailed as error:
        if ref is None:
            raise ScaffoldError(f"--source: {checkout} has no commit to render; {error}") from error
        known = git("tag", "--list", folder=checkout).split()
        raise BadInput(
            f"--ref: there is no {ref} in {checkout}; {did_you_mean(ref, known or ['HEAD'])}"
        ) from error
    changed = git(
        "status", "--porcelain", "--untracked-files=all", "--", *_templates, folder=checkout
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


def _cloned(url: str, ref: str | None, folder: Path) -> Source:
    address = address_of(url)
    public = without_credentials(url)
    try:
        git("clone", "--quiet", "--no-checkout", "--", address, str(folder), folder=folder.parent)
    except GitFailed as error:
        said = str(error).replace(address, public)
        raise ScaffoldError(f"--source: {public} cannot be read; {said}") from error
    tags = git("tag", "--list", folder=folder).split()
    releases = sorted(filter(_release.fullmatch, tags), key=_release_number)
    wanted = ref or (releases[-1] if releases else "HEAD")
    for candidate in (wanted, f"origin/{wanted}"):
        try:
            return Source(public, folder, _commit_of(folder, candidate))
        except GitFailed:
            continue
    raise BadInput(f"--ref: there is no {wanted} at {public}; {did_you_mean(wanted, releases or ['HEAD'])}")


def _commit_of(folder: Path, ref: str) -> str:
    return git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", folder=folder
    ).strip()


def _release_number(tag: str) -> tuple[int, ...]:
    return tuple(map(int, tag.removeprefix("v").split(".")))


def _installed() -> tuple[str, str | None]:
    """Return where this tool was installed from, and which commit of it."""
    checkout = Path(paypath.__file__).resolve().parents[1]
    if (checkout / _configuration).is_file():
        return str(checkout), None
    try:
        record = distribution("paypath").read_text("direct_url.json")  # PEP 610
    except PackageNotFoundError:
        record = None
    origin = json.loads(record or "{}")
    if "vcs_info" in origin:
        return f"git+{origin['url']}", origin["vcs_info"]["commit_id"]
    raise BadInput("--source: this paypath was installed without its templates; name a checkout or a git URL")
