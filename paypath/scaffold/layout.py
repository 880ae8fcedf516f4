"""What a template version is made of, laid out as files for a render: not the whole repository around it."""

from __future__ import annotations

from pathlib import Path

from paypath.scaffold.git import git

configuration = "copier.yml"
parts = (configuration, "templates")
"""What renders are made of, in a repository that holds more than templates."""


def lay_out(repository: Path, commit: str, folder: Path) -> Path:
    """Write the templates of *commit* into *folder*, and return it.

    Where the repository has no folder `templates`, all of it is the template. It is a checkout, as copier's
    clone is one, so line ends and filters are the same.

    Args:
        repository: a git repository, bare or not.
        commit: a commit in it.
        folder: an empty folder.

    Raises:
        GitFailed: git cannot read *commit*.
    """
    git_folder = git("rev-parse", "--absolute-git-dir", folder=repository).rstrip("\n")
    index = folder.with_name(f"{folder.name}.index")
    listed = git("ls-tree", "--name-only", commit, "--", *parts, folder=repository).splitlines()
    git(
        *("-c", "core.autocrlf=false", "-c", "core.fsmonitor=false"),
        *("--work-tree", str(folder), "checkout", "--quiet", commit, "--"),
        *(listed if "templates" in listed else ["."]),
        folder=folder,
        GIT_DIR=git_folder,
        # The repository's own index belongs to whoever works there.
        GIT_INDEX_FILE=str(index),
    )
    index.unlink(missing_ok=True)
    return folder


def described(repository: Path, commit: str) -> str:
    """Return what copier calls the version at *commit*: its tag, or the last one and the way from there."""
    return git("describe", "--tags", "--always", commit, folder=repository).strip()
