"""One release, from the check to the entry in the record.

Two commits make it. The first is the release: version, changelog, examples; the tag is on it. The second
records it, as a commit cannot hold its own id. Whatever fails in between puts the repository back.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from paypath.releasing import changelog
from paypath.releasing.plan import Plan, changelog_file, paths_of, read
from paypath.releasing.versions import disagreements, versions, with_version
from paypath.scaffold._record import Release, record_file, recorded, template_hash, write_record
from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.git import git


def release(
    root: Path,
    plan: Plan,
    *,
    check: Callable[[Path], None],
    examples: Callable[[Path], None],
    say: Callable[[str], None] = lambda _: None,
) -> Release:
    """Do what *plan* says, and return the release; the repository is as before if anything fails.

    Args:
        root: the work tree, clean.
        plan: what `plan_release` or `plan_past_release` returned.
        check: raises `ScaffoldError` if the repository does not pass its own checks; not called for a release
            of the past, which changes no code.
        examples: renders the examples of the repository anew; the same.
        say: told each step when it is done.
    """
    if plan.commit is None:
        check(root)
        say("passed its own checks")
    start = git("rev-parse", "HEAD", folder=root).strip()
    tag = f"v{plan.version}"
    try:
        for path in plan.files:
            (root / path).write_text(_as_released(root, path, plan), encoding="utf-8")
        commit = plan.commit or _release_commit(root, plan, examples)
        git("tag", "--annotate", "--message", f"Release {plan.version}", tag, commit, folder=root)
        say(f"tagged {commit[:12]} as {tag}")
        made = Release(
            version=plan.version, commit=commit, template_hash=template_hash(root, commit), date=plan.date
        )
        (root / record_file).write_text(write_record([*recorded(root), made]), encoding="utf-8")
        _commit(root, f"Record release {plan.version}")
    except BaseException:
        _put_back(root, start, tag)
        raise
    say(f"recorded in {record_file}")
    return made


def make_check(root: Path) -> None:
    """Run ``make check`` in *root*.

    Raises:
        ScaffoldError: it found something.
    """
    done = subprocess.run(["make", "check"], cwd=root, check=False)  # noqa: S607  # the user's make
    if done.returncode != 0:
        raise ScaffoldError("make check: not passed, so nothing was released; mend what it found")


def render_examples(root: Path) -> None:
    """Render the examples of *root* anew, by its own code.

    Raises:
        ScaffoldError: they cannot be rendered.
    """
    done = subprocess.run(
        [sys.executable, "-m", "paypath.scaffold.examples"],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise ScaffoldError(f"examples: not rendered; {done.stderr.strip()}")


def _as_released(root: Path, path: str, plan: Plan) -> str:
    text = read(root, path)
    if path == changelog_file:
        return changelog.with_section(text, plan.version, plan.date, plan.section, plan.left)
    return with_version(path, text, plan.version)


def _release_commit(root: Path, plan: Plan, examples: Callable[[Path], None]) -> str:
    examples(root)
    if wrong := disagreements(versions(paths_of(root), lambda path: read(root, path)), plan.version):
        raise ScaffoldError(f"{plan.version}: {'; '.join(wrong)}; mend those places and begin again")
    return _commit(root, f"Release {plan.version}")


def _commit(root: Path, message: str) -> str:
    git("add", "--all", folder=root)
    git("commit", "--quiet", "--allow-empty", "--message", message, folder=root)
    return git("rev-parse", "HEAD", folder=root).strip()


def _put_back(root: Path, start: str, tag: str) -> None:
    """Undo what was begun; the work tree was clean, so nothing of anybody's is lost."""
    git("reset", "--quiet", "--hard", start, folder=root)
    git("clean", "--quiet", "-d", "--force", "--", "examples", record_file, folder=root)
    if tag in git("tag", "--list", folder=root).split():
        git("tag", "--delete", tag, folder=root)
