"""A fleet of payment services made from the first release, each with answers and edits of its own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paypath.scaffold import releases
from paypath.scaffold.upgrade import UpgradeRun, upgrade_run

git = ("git", "-c", "user.name=bench", "-c", "user.email=bench@localhost")


@dataclass(frozen=True)
class Source:
    """A clone of the platform with two releases: the first one of all, and this commit as the next."""

    folder: Path
    old: str
    new: str


def source_at(repository: Path, folder: Path) -> Source:
    """Clone *repository* to *folder*, and tag what is missing: a clone without tags has the record."""
    run("git", "clone", "--quiet", str(repository), str(folder), folder=folder.parent)
    known = releases(str(folder))
    if not known:
        raise SystemExit("templates/releases.json: names no release; there is nothing to upgrade from")
    tags = set(run("git", "tag", folder=folder).split())
    if known[0].tag not in tags:
        run(*git, "tag", "--annotate", "--message", "first", known[0].tag, known[0].commit, folder=folder)
    major, minor, _ = known[-1].version.split(".")
    new = f"v{major}.{int(minor) + 1}.0"
    run(*git, "tag", "--annotate", "--message", "next", new, "HEAD", folder=folder)
    return Source(folder, known[0].tag, new)


def fleet_at(source: Source, folder: Path, services: int) -> list[Path]:
    """Make so many *services* in *folder*, and return their folders.

    Each has a name of its own, so that no two have a render in common. Its team added a file and edited
    three: one that the template changes too, one that it does not, and one that it leaves to the team.
    """
    folder.mkdir()
    names = [f"till-{number:04}" for number in range(1, services + 1)]
    parts = [names[start::2] for start in range(2)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        list(executor.map(partial(_make, source, folder), parts))
    return [folder / name for name in names]


def copies(services: Sequence[Path], folder: Path) -> list[Path]:
    """Copy *services* to the new *folder* beside theirs, for they name their template by a relative path."""
    folder.mkdir()
    run("cp", "--archive", "--target-directory", str(folder), *map(str, services), folder=folder)
    return [folder / service.name for service in services]


def run(*command: str, folder: Path) -> str:
    """Run *command* in *folder*, and return what it printed."""
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def files_at(folder: Path, tree: str) -> dict[str, str]:
    """Return mode and blob of every file of *tree*, by path."""
    listed = run("git", "ls-tree", "-r", "-z", tree, folder=folder).split("\0")
    return {path: about for about, _, path in (line.partition("\t") for line in filter(None, listed))}


def committed_files(folder: Path) -> dict[str, str]:
    """Return the files of the work tree of *folder* as git would commit them."""
    run("git", "add", "--all", folder=folder)
    return files_at(folder, run("git", "write-tree", folder=folder).strip())


def _make(source: Source, folder: Path, names: Sequence[str]) -> None:
    scratch = folder / f".making-{os.getpid()}"
    with upgrade_run(scratch) as opened:
        for name in names:
            _make_one(opened, source, folder / name)
    shutil.rmtree(scratch)


def _make_one(opened: UpgradeRun, source: Source, service: Path) -> None:
    name = service.name
    place = os.path.relpath(source.folder, service)
    answers = {
        "kind": "payment-service",
        "service_name": name,
        "package": name.replace("-", "_"),
        "title": name.replace("-", " ").capitalize(),
        "platform_source": place,
    }
    version = opened.templates.open(str(source.folder)).at(source.old)
    opened.renders.lay_out(version, answers, label=source.old, source=place, into=service)
    run("git", "init", "--quiet", "--initial-branch=main", folder=service)
    commit = (*git, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--message")
    run("git", "add", "--all", "--force", folder=service)
    run(*commit, "Generate", folder=service)
    (service / "src" / answers["package"] / "loyalty.py").write_text(f'"""Points at {name}."""\n')
    for edited, line in (
        ("settings.py", f"# Points of {name} have no setting."),
        ("use_cases.py", "# No points."),
    ):
        with (service / "src" / answers["package"] / edited).open("a") as file:
            file.write(f"\n{line}\n")
    with (service / "README.md").open("a") as file:
        file.write(f"\nAsk the team of {name}.\n")
    run("git", "add", "--all", folder=service)
    run(*commit, "Count points", folder=service)
