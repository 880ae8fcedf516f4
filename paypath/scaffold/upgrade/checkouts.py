"""A checkout of a service that is not its work tree: to run its tests and its formatter in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

from paypath.scaffold.git import git, run_git
from paypath.scaffold.upgrade.merges import Objects
from paypath.scaffold.upgrade.services import Service


def check_out(service: Service, objects: Objects, commit: str, room: Path) -> Path:
    """Check *commit* out below *room* as a repository of its own; return the service's folder in it.

    It borrows every object, so it takes the time of writing the files. A relative path that leads from the
    service to its platform leads there from the checkout too.
    """
    # Deep enough that "../../.." stays in the room.
    top = (
        Path(mkdtemp(prefix="checkout-", dir=room))
        / "a"
        / "b"
        / "c"
        / "d"
        / (service.top or service.repository).name
    )
    top.mkdir(parents=True)
    git("init", "--quiet", folder=top)
    borrowed = [objects.folder, *objects.alternates]
    (top / ".git/objects/info/alternates").write_text(
        "".join(f"{folder}\n" for folder in borrowed), encoding="utf-8"
    )
    shallow = service.repository / "shallow"
    if shallow.exists():
        shutil.copy(shallow, top / ".git/shallow")
    _fetch_as_needed(service, top)
    git("-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit, folder=top)
    folder = top / service.prefix
    _lead_to_platform(service, folder, room)
    return folder


def _fetch_as_needed(service: Service, top: Path) -> None:
    """Have *top* fetch what a service lacks that is a partial clone; git would leave those files out."""
    form = r"^(remote\..*\.(url|promisor|partialclonefilter)|extensions\.partialclone)$"
    said = run_git(
        "config", "--local", "--null", "--get-regexp", form, folder=service.repository, accept=(0, 1)
    ).output.decode(errors="surrogateescape")
    settings = [entry.split("\n", 1) for entry in said.split("\0") if entry]
    if any(name.endswith(".promisor") for name, *_ in settings):
        git("config", "core.repositoryFormatVersion", "1", folder=top)
        for name, *value in settings:
            git("config", name, *(value or ["true"]), folder=top)


def _lead_to_platform(service: Service, folder: Path, room: Path) -> None:
    if service.text is None or service.top is None:
        return
    given = service.answers()
    for path in {given.source, str(given.given.get("platform_source", ""))}:
        if not path or "://" in path or Path(path).is_absolute():
            continue
        link = Path(os.path.normpath(folder / path))
        real = Path(os.path.normpath(service.folder / path))
        if real.is_dir() and link.is_relative_to(room) and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(real)
