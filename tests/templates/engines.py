"""The two engines as their users run them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from paypath.scaffold.git import git

_scripts = Path(sys.executable).parent


def run(*command: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def copier(source: Path | str, destination: Path, answers: Mapping[str, str], *options: str) -> Path:
    """Plain `copier copy`: no trust, no help from us."""
    data = [part for name, answer in answers.items() for part in ("--data", f"{name}={answer}")]
    run(
        *(_scripts / "copier", "copy", "--quiet", "--defaults", *options, *data, source, destination),
        folder=destination.parent,
    )
    return destination


def cookiecutter(source: Path, kind: str, into: Path, answers: Mapping[str, str]) -> Path:
    """Plain cookiecutter, which runs hooks if there are any; returns the new folder."""
    return cookiecutter_of(str(source / "templates" / kind), None, into, answers)


def cookiecutter_of(source: str, directory: str | None, into: Path, answers: Mapping[str, str]) -> Path:
    """Plain cookiecutter with a folder or a git URL, and a *directory* in it; returns the new folder."""
    (into / "cache").mkdir(parents=True, exist_ok=True)
    (into / "config.yml").write_text(f"replay_dir: {into / 'replay'}\ncookiecutters_dir: {into / 'cache'}\n")
    chosen = [f"{name}={answer}" for name, answer in answers.items()]
    options = ("--no-input", "--config-file", into / "config.yml", "--output-dir", into / "out")
    within = ("--directory", directory) if directory else ()
    run(_scripts / "cookiecutter", *options, *within, source, *chosen, folder=into)
    [made] = (into / "out").iterdir()
    return made


def repository(folder: Path) -> Path:
    """Make *folder* a git repository with one commit of everything in it."""
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    commit(folder, "first")
    return folder


def commit(folder: Path, message: str) -> None:
    git("add", "--all", "--force", folder=folder)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", message, folder=folder)
