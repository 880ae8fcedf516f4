"""The sources of templates: opened once in a run, or not at all where the tool carries enough."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

from paypath.scaffold import _carried
from paypath.scaffold._installation import installation, same_repository
from paypath.scaffold.git import GitFailed, git
from paypath.scaffold.sources import address_of, is_url, without_credentials
from paypath.scaffold.upgrade.cachefolder import holding
from paypath.scaffold.upgrade.carrying import carrier_of, repository_of_carried, tool_version
from paypath.scaffold.upgrade.errors import UnknownVersion
from paypath.scaffold.upgrade.versions import TemplateSource


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a source.

    Attributes:
        versions: the versions that have to be in it.
        online: ask the source itself; if False read only what the tool carries, whatever the source is
            called; if None read that where the source is the tool's own repository and *versions* are in it.
    """

    versions: Sequence[str] = ()
    online: bool | None = None


class Templates:
    """The templates that a run reads: each source once, each version once, however many services need it."""

    def __init__(self, cache: Path, scratch: Path, mirrors: Path | None = None) -> None:
        self._cache = cache
        self._scratch = scratch
        self._mirrors = mirrors
        self._open: dict[str, TemplateSource] = {}

    def open(
        self, origin: str, *, beside: Path | None = None, wanted: Wanted | None = None
    ) -> TemplateSource:
        """Return the source at *origin*, a URL or a folder; a relative one begins at the folder *beside*.

        Where what the tool carries is read instead, as *wanted* has it, the source says so in `carried_by`.

        Raises:
            UnknownVersion: it cannot be read, or what the tool carries is not enough and nothing else wanted.
        """
        wanted = wanted or Wanted()
        place = origin if is_url(origin) else os.path.realpath((beside or Path.cwd()) / origin)
        if wanted.online is False:
            return self._carried_alone(origin, wanted.versions)
        own = is_url(place) and same_repository(place, self._repository)
        copy = self._carried_copy(origin) if own and not wanted.online else None
        if copy is not None and not copy.lacking(wanted.versions):
            return copy
        try:
            if place not in self._open:
                self._open[place] = self._source(origin, place)
            return self._open[place]
        except UnknownVersion as error:
            if hint := _without_network(copy, wanted):
                raise UnknownVersion(f"{error}; {hint}") from error
            raise

    def _carried_alone(self, origin: str, versions: Sequence[str]) -> TemplateSource:
        copy = self._carried_copy(origin)
        if copy is None:
            raise UnknownVersion(
                "--offline: this paypath carries no releases, as no checkout does; leave it out, or name a "
                "folder with --source"
            )
        if lacking := copy.lacking(versions):
            raise UnknownVersion(
                f"--offline: this paypath carries {_listed(copy)}, and not {', '.join(lacking)}; leave it "
                "out, or name a clone of the template with --source"
            )
        return copy

    def _carried_copy(self, origin: str) -> TemplateSource | None:
        """Return what the tool carries, as a repository; with mirrors what the first process carried."""
        public = without_credentials(origin)
        key = f"carried {public}"
        if key not in self._open:
            if _carried.carried() is None:
                return None
            if self._mirrors is None:
                content = _carried.archive.read_bytes() + tool_version().encode()
                kept = self._cache / "carried" / hashlib.sha256(content).hexdigest()[:16] / "mirror.git"
            else:
                kept = self._mirrors / "carried" / "mirror.git"
            kept.parent.mkdir(parents=True, exist_ok=True)
            with holding(kept.parent / "lock"):
                repository_of_carried(kept)
            self._open[key] = TemplateSource(public, kept, self._checkouts, carrier_of(kept))
        return self._open[key]

    @cached_property
    def _repository(self) -> str | None:
        """The URL of the tool's own repository, if it knows one; read once, since a fleet asks often."""
        return installation().repository

    @property
    def _checkouts(self) -> Path:
        return self._cache / "checkouts"

    def _source(self, origin: str, place: str) -> TemplateSource:
        if self._mirrors is None:
            return self._mirrored(place) if is_url(place) else self._local(origin, Path(place))
        kept = self._mirrors / hashlib.sha256(place.encode()).hexdigest()[:16] / "mirror.git"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with holding(kept.parent / "lock"):
            if is_url(place):
                public, address = without_credentials(place), address_of(place)
            else:
                local = self._local(origin, Path(place))
                public, address = local.origin, str(local.repository)
            if not kept.is_dir():
                self._clone(public, address, kept)
        return TemplateSource(public, kept, self._checkouts)

    def _mirrored(self, url: str) -> TemplateSource:
        folder = Path(mkdtemp(prefix="mirror-", dir=self._scratch)) / "mirror.git"
        public, address = without_credentials(url), address_of(url)
        self._clone(public, address, folder)
        return TemplateSource(public, folder, self._checkouts)

    def _clone(self, public: str, address: str, folder: Path) -> None:
        """Clone *address* aside and rename it to *folder*, so that nobody takes half a clone for one."""
        aside = Path(mkdtemp(prefix="aside-", dir=folder.parent)) / "mirror.git"
        try:
            git("clone", "--quiet", "--mirror", "--", address, str(aside), folder=folder.parent)
            aside.rename(folder)
        except GitFailed as error:
            said = str(error).replace(address, public)
            raise UnknownVersion(
                f"{public}: the template cannot be read from there; check the network, or name another "
                f"source with --source ({said})"
            ) from error
        finally:
            shutil.rmtree(aside.parent, ignore_errors=True)

    def _local(self, origin: str, place: Path) -> TemplateSource:
        if place.name == ".git":
            place = place.parent
        if not place.is_dir():
            raise UnknownVersion(
                f"{origin}: the template is not there ({place}); name where it is now with --source"
            )
        try:
            common = git("rev-parse", "--git-common-dir", "--show-prefix", folder=place).split("\n")
        except GitFailed as error:
            raise UnknownVersion(
                f"{origin}: is no git repository, so it has no versions; name one with --source"
            ) from error
        if common[1]:
            raise UnknownVersion(
                f"{origin}: is a folder inside a repository; name the repository with --source"
            )
        return TemplateSource(str(place), (place / common[0]).resolve(), self._checkouts)


def _without_network(copy: TemplateSource | None, wanted: Wanted) -> str:
    """Say what there is to be had without a network; nothing where that is no help."""
    if copy is not None:
        return (
            f"without a network name a clone: this paypath carries {_listed(copy)}, and not "
            f"{', '.join(copy.lacking(wanted.versions))}"
        )
    if _carried.carried() is None:
        return ""
    return "if this paypath is of the same template, --offline reads the releases that it carries"


def _listed(copy: TemplateSource) -> str:
    few = 5
    shown = copy.releases[-few:]
    return f"{'…, ' if len(copy.releases) > few else ''}{', '.join(shown)}"
