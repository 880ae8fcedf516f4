"""One check of one service: a command in its folder, with the programs of this environment."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paypath.template_ci.declared import Step
from paypath.template_ci.engines import programs
from platform_lib.clock import SystemClock

# What the caller's own tools left in the environment must not reach those of the service.
_misleading = ("GIT_", "PYTEST_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A check that ended.

    Attributes:
        passed: whether it ended with 0.
        seconds: how long it took.
        output: all that it printed.
    """

    passed: bool
    seconds: float
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where checks may leave something.

    Attributes:
        caches: a folder that lasts; mypy has its cache in it.
        scratch: a folder for temporary files, which is gone when the run ends, however the checks ended.
    """

    caches: Path
    scratch: Path


def run_step(step: Step, service: Path, place: Places, limit: float = 600.0) -> Ran:
    """Run *step* in the folder *service*; what takes longer than *limit* seconds is ended, and has failed.

    Engines are embedded unless ``PAYPATH_ENGINE`` says otherwise.
    """
    clock = SystemClock()
    began = clock.monotonic()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_misleading)}
    environment |= {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "MYPY_CACHE_DIR": str(place.caches / "mypy"),
        "TMPDIR": str(place.scratch),
        "PAYPATH_ENGINE": os.environ.get("PAYPATH_ENGINE") or "embedded",
    }
    heading = f"$ {' '.join(step.command)}\n"
    try:
        process = subprocess.Popen(  # noqa: S603  # what the templates declare
            step.command,
            cwd=service,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # so that all that it starts can be ended with it
        )
    except OSError as error:
        return Ran(passed=False, seconds=0.0, output=f"{heading}{step.command[0]}: cannot be run ({error})\n")
    with process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process.pid)
            output = f"{process.communicate()[0]}\nended: it took longer than {limit:.0f} s\n"
    seconds = clock.monotonic() - began
    return Ran(passed=process.returncode == 0, seconds=seconds, output=f"{heading}{output}")


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
