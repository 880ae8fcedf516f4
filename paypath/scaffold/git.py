"""Git as a command: one way to run it, unmoved by the caller's surroundings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.errors import ScaffoldError

# Set inside git's own hooks, where they would point every command at the wrong repository (git-rev-parse(1),
# --local-env-vars).
_misleading = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)


class GitFailed(ScaffoldError):
    """A git command ended with an error; `str()` is what git said."""


def git(*arguments: str, folder: Path, **variables: str) -> str:
    """Run git in *folder* with *variables* added to its environment, and return what it printed.

    Raises:
        GitFailed: git ended with an error.
        ScaffoldError: there is no git.
    """
    return run_git(*arguments, folder=folder, variables=variables).output.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Ran:
    """A git command that ended: its exit code, and its standard output in bytes."""

    code: int
    output: bytes


def run_git(
    *arguments: str,
    folder: Path,
    given: bytes = b"",
    accept: Sequence[int] = (0,),
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """Run git in *folder* with *given* on its standard input; an exit code not in *accept* is an error.

    *variables* are added to its environment.

    Raises:
        GitFailed: git ended with an error.
        ScaffoldError: there is no git.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _misleading}
    # Nobody is there to answer: a repository that wants a password is an error, not a question.
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(variables or {})}
    try:
        done = subprocess.run(  # noqa: S603  # arguments are ours; what users give comes after `--`
            ["git", *arguments],  # noqa: S607  # the user's git, as found on PATH
            cwd=folder,
            env=environment,
            input=given,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        if not Path(folder).is_dir():
            raise ScaffoldError(f"{folder}: there is no such folder; name the folder of a service") from error
        raise ScaffoldError("git: not found on PATH; install git") from error
    if done.returncode not in accept:
        said = _told(done.stderr.decode(errors="replace").strip()) or f"ended with status {done.returncode}"
        name = next((word for word in arguments if not word.startswith("-") and "=" not in word), "")
        raise GitFailed(f"git {name}: {said}")
    return Ran(done.returncode, done.stdout)


def _told(said: str) -> str:
    """Return what git said, or what it means where a partial clone lacks files and cannot get them."""
    if "from promisor remote" not in said:
        return said
    return (
        "this is a partial clone, and files that it lacks cannot be fetched from its remote; go to the "
        f"network, or clone it whole ({' '.join(said.splitlines()[0].split())})"
    )


def work_tree_of(folder: Path) -> Path | None:
    """Return the top of the git work tree that *folder* lies in, if any."""
    try:
        return Path(git("rev-parse", "--show-toplevel", folder=folder).rstrip("\n"))
    except GitFailed:
        return None
