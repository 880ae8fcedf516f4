"""The service's own tests, run in a checkout: before the upgrade, and after it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paypath.scaffold.upgrade.services import Service
from platform_lib.clock import Clock

# What decides whether the environment of the service's work tree is good for the tests of another commit.
_dependencies = ("pyproject.toml", "requirements.lock")
_shown_lines = 40


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One run of the tests.

    Attributes:
        when: ``before`` or ``after`` the upgrade.
        command: what was run.
        passed: whether it ended with 0.
        seconds: how long it took.
        output: the last lines that it printed.
    """

    when: str
    command: str
    passed: bool
    seconds: float
    output: str


@dataclass(frozen=True, slots=True)
class SuiteCommand:
    """How a service's tests are run: *words* in its folder, with *variables* added to the environment."""

    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return it as one would type it."""
        return shlex.join(self.words)


def suite_command(service: Service, given: str | None, checkouts: tuple[Path, Path]) -> SuiteCommand | None:
    """Return how to test the service; None where nobody says how.

    *given* is a shell command; without one it is ``make test``, where the Makefile has that verb. The
    environment
    of the work tree serves, if there is one and the upgrade changes no dependency; otherwise the service's
    own Makefile sets one up in each of the *checkouts*.
    """
    before, after = checkouts
    ready = _environment(service, before, after)
    if given is not None:
        return SuiteCommand(("sh", "-c", given), ready)
    makefile = after / "Makefile"
    if not makefile.is_file() or not re.search(
        r"^test\s*:", makefile.read_text(errors="replace"), re.MULTILINE
    ):
        return None
    return SuiteCommand(("make", "test", *(f"{name}={value}" for name, value in ready)))


def run_tests(
    when: str, folder: Path, command: SuiteCommand, clock: Clock, said: Callable[[str], None]
) -> SuiteRun:
    """Run the tests in *folder*; *said* gets each line that they print."""
    began = clock.monotonic()
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603  # the service's own command
        command.words,
        cwd=folder,
        env={**unmoved_environment(), **dict(command.variables)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            said(lines[-1])
    return SuiteRun(
        when,
        str(command),
        process.returncode == 0,
        clock.monotonic() - began,
        "\n".join(lines[-_shown_lines:]),
    )


def unmoved_environment() -> dict[str, str]:
    """Return the environment without what a git hook or a make around this process would tell a service's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") and name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }


def own_environment(service: Service) -> tuple[tuple[str, str], ...]:
    """Return what tells the service's Makefile to use the environment of its work tree, if it has one."""
    environment = service.folder / ".venv"
    if service.top is None or not (environment / "bin/python").exists():
        return ()
    return (("VENV", str(environment)), ("READY", "1"))


def _environment(service: Service, before: Path, after: Path) -> tuple[tuple[str, str], ...]:
    if any(_content(before / name) != _content(after / name) for name in _dependencies):
        return ()
    return own_environment(service)


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""
