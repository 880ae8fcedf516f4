"""`examples/`: committed renders, so that a change to a template is read as a change to a service.

The templates are the source. ``python -m paypath.scaffold.examples`` renders every example anew from the
templates as they lie in the checkout, and touches only files that differ; with ``--check`` it touches nothing
and exits 1 where one differs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import paypath
from paypath.scaffold.git import git
from paypath.scaffold.questions import choose
from paypath.scaffold.render import render
from paypath.scaffold.sources import open_source

# The answers that differ from the defaults, by example. Each lies two folders below the platform.
examples: dict[str, Mapping[str, str]] = {
    "payments": {"kind": "payment-service", "platform_source": "../.."},
    "card-connector": {"kind": "provider-connector", "platform_source": "../.."},
    "settlements": {"kind": "event-worker", "platform_source": "../.."},
}


def render_example(checkout: Path, name: str, folder: Path) -> None:
    """Render the example *name* of *checkout*, uncommitted template changes included, into *folder*."""
    with open_source(str(checkout), worktree=True) as source:
        choose(source, None, examples[name])
        render(source, folder, examples[name])


def differences(example: Path, fresh: Path) -> list[str]:
    """Return the paths at which *example*, without what git ignores, differs from a fresh render."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", folder=example)
    held = {name for name in listed.split("\0") if name and (example / name).is_file()}
    wanted = {str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file()}
    return sorted(
        name
        for name in held | wanted
        if name not in held or name not in wanted or _content(example / name) != _content(fresh / name)
    )


def main(arguments: list[str]) -> int:
    """Render every example anew, or with ``--check`` only tell what would change; return the exit code."""
    check = "--check" in arguments
    checkout = Path(paypath.__file__).resolve().parents[1]
    found = 0
    for name in examples:
        example = checkout / "examples" / name
        example.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="paypath-example-") as scratch:
            fresh = Path(scratch) / name
            render_example(checkout, name, fresh)
            for path in differences(example, fresh):
                found += 1
                sys.stdout.write(f"examples/{name}/{path}\n")
                if not check:
                    _take_over(fresh / path, example / path)
    verb = "differ" if check else "rendered anew"
    sys.stdout.write(f"{found} files {verb}\n" if found else "examples are what the templates render\n")
    return 1 if check and found else 0


def _content(file: Path) -> tuple[bool, bytes]:
    return bool(file.stat().st_mode & 0o100), file.read_bytes()


def _take_over(fresh: Path, held: Path) -> None:
    if fresh.exists():
        held.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fresh, held)
    else:
        held.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
