"""The first commit of a new service."""

from __future__ import annotations

from pathlib import Path

from paypath.scaffold.git import GitFailed, git, work_tree_of

_nobody = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Paypath"), ("EMAIL", "paypath@localhost"))
}


def surrounding_work_tree(destination: Path) -> Path | None:
    """Return the git work tree that *destination* lies in, unless that ignores it."""
    nearest = next(parent for parent in destination.parents if parent.exists())
    top = work_tree_of(nearest)
    if top is None:
        return None
    try:
        git("check-ignore", "--quiet", "--", f"{destination}/", folder=nearest)
    except GitFailed:
        return top
    return None


def commit_all(folder: Path, message: str) -> str:
    """Make *folder* a git repository whose branch `main` holds all of it; return the commit, abbreviated.

    The author is the user as git knows them, or else "Paypath", for this one commit. Nothing else of the
    user's set-up can stop or change it: no hooks, no signing, no ignored files, no converted line ends.
    """
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    git("-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "add", "--all", "--force", folder=folder)
    author = identity(folder)
    unhindered = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false")
    git(*unhindered, "commit", "--quiet", "--no-verify", "--message", message, folder=folder, **author)
    return git("rev-parse", "--short", "HEAD", folder=folder).strip()


def identity(folder: Path) -> dict[str, str]:
    """Return the variables that name who commits in *folder*: the user as git knows them, else "Paypath"."""
    try:
        git("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT", folder=folder)
        git("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT", folder=folder)
    except GitFailed:
        return dict(_nobody)
    return {}
