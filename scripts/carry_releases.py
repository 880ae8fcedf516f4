"""Hatch's build hook: put every released template into the wheel, as `paypath/scaffold/released.tar.xz`.

It reads the record and the tags of the checkout that is built, and imports nothing of ours, as what we need
is not installed while we are built. `paypath/scaffold/_carried.py` reads what is written here. The archive is
the same to the byte for the same history. A source distribution brings it along, and no wheel built from one
needs git. What cannot be found, in a shallow clone, is told and left out; the tool says so when it is asked
for.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_archive = "paypath/scaffold/released.tar.xz"
_record = "templates/releases.json"
_rendered = ("copier.yml", "templates")
# All of `templates/`, so that its git tree, by which upgrades know a version, is the released one; and what
# an upgrade tells of the versions on its way.
_carried = (*_rendered, "CHANGELOG.md")
_public_url = re.compile(r"(?:https?|ssh|git)://[^/]+/.+|[\w.-]+@[\w.-]+:.+")
Entry = dict[str, str]
Tree = list[tuple[str, str, str]]  # mode, id of the content, path


class CarryReleases(BuildHookInterface[Any]):
    """Adds the archive to a wheel and to a source distribution; an editable install has the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the archive beside the build and have it included."""
        if version == "editable" or not self.enabled:
            return
        repository = Repository(Path(self.root))
        if not repository.exists:
            if not (Path(self.root) / _archive).is_file():
                self.app.display_warning(
                    f"{self.root} is no git checkout: the wheel carries no released template"
                )
            return
        releases, missing = repository.releases(self.metadata.version)
        for entry in missing:
            self.app.display_warning(
                f"v{entry['version']} is recorded as {entry['commit'][:12]}, which is not in this clone: "
                "the wheel will not carry it; `git fetch --unshallow --tags` first"
            )
        self._folder = tempfile.TemporaryDirectory(prefix="paypath-releases-")
        made = Path(self._folder.name) / "released.tar.xz"
        write(made, repository, releases, self.metadata.version)
        build_data["force_include"][str(made)] = _archive

    @property
    def enabled(self) -> bool:
        """Tell whether this target is one that carries releases."""
        return self.target_name in {"wheel", "sdist"}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  # hatch's
        """Clean up."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


class Repository:
    """The checkout that is built."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def exists(self) -> bool:
        """Tell whether it is a checkout at all, of its own and not of a folder around it."""
        return (self.root / ".git").exists()

    def git(self, *arguments: str) -> bytes:
        """Return what git prints, nothing if it fails."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=False)  # noqa: S603, S607  # git as found
        return done.stdout if done.returncode == 0 else b""

    def tree(self, commit: str, paths: Sequence[str] = _rendered) -> Tree:
        """Return the files of *commit* at and below *paths*, nothing if it is not here."""
        listed = self.git("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths).decode()
        entries = [entry.partition("\t") for entry in listed.split("\0") if entry]
        return [(about.split()[0], about.split()[2], path) for about, _, path in entries]

    def releases(self, version: str) -> tuple[dict[str, Entry], list[Entry]]:
        """Return the releases by version, that of this tree among them, and those that are not here."""
        found, missing = {}, []
        for entry in json.loads(self.git("show", f"HEAD:{_record}") or '{"releases": []}')["releases"]:
            commit = self._commit_with(entry)
            if commit is None:
                missing.append(entry)
            else:
                found[entry["version"]] = {**entry, "commit": commit}
        lost = {entry["version"] for entry in missing}
        for tag in self.git("tag", "--list", "v*").decode().split():
            if re.fullmatch(r"v\d+\.\d+\.\d+", tag) and tag[1:] not in found and tag[1:] not in lost:
                found[tag[1:]] = self._entry(tag[1:], tag)
        if version not in found and version not in lost:
            # The released commit itself, whose entry is yet to come, or a version that was never released.
            found[version] = self._entry(version, "HEAD")
        return found, missing

    def _commit_with(self, entry: Entry) -> str | None:
        if template_hash(self.tree(entry["commit"])) == entry["template_hash"]:
            return entry["commit"]
        for commit in self.git("rev-list", "HEAD", "--", "copier.yml", "templates").decode().split():
            if template_hash(self.tree(commit)) == entry["template_hash"]:
                return commit
        return None

    def _entry(self, version: str, commit: str) -> Entry:
        about = self.git("show", "--no-patch", "--format=%H %cs", f"{commit}^{{commit}}").decode().split()
        return {
            "version": version,
            "commit": about[0],
            "template_hash": template_hash(self.tree(about[0])),
            "date": about[1],
        }

    def url(self) -> str | None:
        """Return the public address of the repository, without credentials, if it has one."""
        url = self.git("remote", "get-url", "origin").decode().strip()
        if not _public_url.fullmatch(url):
            return None
        return re.sub(r"^(https?://)[^/]*@", r"\1", re.sub(r"^([a-z]+://[^/:@]*):[^/@]*@", r"\1@", url))


def template_hash(tree: Tree) -> str:
    """Return the same hash as `paypath.scaffold.releases.template_hash`."""
    rendered = [entry for entry in tree if not re.fullmatch("templates/[^/]+", entry[2])]
    return hashlib.sha256(
        "".join(f"{mode} {id_} {path}\n" for mode, id_, path in rendered).encode()
    ).hexdigest()


def write(archive: Path, repository: Repository, releases: dict[str, Entry], version: str) -> None:
    """Write the archive: an index, then one folder a release, oldest first."""
    ordered = sorted(releases.values(), key=lambda entry: [int(part) for part in entry["version"].split(".")])
    now = template_hash(repository.tree("HEAD"))
    index = {
        "built_at": version if releases.get(version, {}).get("template_hash") == now else None,
        "releases": ordered,
        "repository": repository.url(),
    }
    with tarfile.open(archive, "w:xz", format=tarfile.PAX_FORMAT, preset=9) as out:
        add(out, "index.json", "100644", (json.dumps(index, indent=2, sort_keys=True) + "\n").encode())
        for entry in ordered:
            for mode, id_, path in repository.tree(entry["commit"], _carried):
                add(out, f"v{entry['version']}/{path}", mode, repository.git("cat-file", "blob", id_))


def add(out: tarfile.TarFile, path: str, mode: str, content: bytes) -> None:
    """Add one file or link, by git's mode, that says nothing about when and by whom it was added."""
    member = tarfile.TarInfo(path)
    if mode == "120000":
        member.type, member.linkname = tarfile.SYMTYPE, content.decode()
        out.addfile(member)
        return
    member.size, member.mode = len(content), 0o755 if mode == "100755" else 0o644
    out.addfile(member, io.BytesIO(content))
