"""What a shell waits for at every keystroke: version, help and completion load next to nothing.

No clock here: `make bench-scaffold` has the milliseconds. What costs them are modules, and those are counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from paypath.cli import commands

# Each is a tenth of what a start may take, or loads something that is.
heavy = (
    *(
        "asyncio",
        "concurrent.futures",
        "copier",
        "difflib",
        "email",
        "importlib.metadata",
        "jinja2",
        "libcst",
    ),
    *("logging", "paypath.demo", "paypath.scaffold", "platform_lib", "pydantic", "shutil", "socket"),
    *("subprocess", "tempfile", "yaml"),
)
program = """
import sys
from paypath.cli import main
sys.argv = ["paypath", *sys.argv[1:]]
try:
    main(prog_name="paypath")
finally:
    print("loaded:", *sorted(sys.modules), file=sys.stderr)
"""


def said_and_loaded(folder: Path, *arguments: str, **variables: str) -> tuple[str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, set(done.stderr.partition("loaded: ")[2].split())


def completed(folder: Path, words: str) -> tuple[str, set[str]]:
    return said_and_loaded(
        folder, _PAYPATH_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))
    )


def test_the_version_is_told_without_loading_anything_else(tmp_path: Path) -> None:
    said, loaded = said_and_loaded(tmp_path, "--version")

    assert said == f"paypath {metadata.version('paypath')}\n"
    assert loaded.isdisjoint(heavy), loaded.intersection(heavy)


@pytest.mark.parametrize("words", [(), *((command,) for command in commands)], ids=" ".join)
def test_help_is_told_without_loading_what_the_command_works_with(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    said, loaded = said_and_loaded(tmp_path, *words, "--help")

    assert said.startswith("Usage: paypath")
    loaded.discard("shutil")  # click itself asks it for the terminal's width
    assert loaded.isdisjoint(heavy), loaded.intersection(heavy)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("paypath ", "plain,upgrade"),
        ("paypath new x --", "plain,--kind"),
        ("paypath new x --kind ", "plain,event-worker"),
        ("paypath add ", "plain,webhook"),
        ("paypath upgrade --", "plain,--plan"),
        ("paypath fleet ", "plain,apply"),
        ("paypath fleet apply --", "plain,--waves"),
        ("paypath demo --engine ", "plain,embedded"),
        ("paypath completion ", "plain,zsh"),
    ],
)
def test_what_may_follow_is_offered_without_loading_what_the_command_works_with(
    tmp_path: Path, typed: str, offered: str
) -> None:
    said, loaded = completed(tmp_path, typed)

    assert offered in said.split()
    assert loaded.isdisjoint(heavy), loaded.intersection(heavy)


def test_a_module_that_is_loaded_is_seen(tmp_path: Path) -> None:
    said, loaded = completed(tmp_path, "paypath new x --source . --kind ")

    assert said == "\n"  # there are no templates
    assert {"yaml", "platform_lib"} <= loaded
