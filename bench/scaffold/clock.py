"""Whole processes, timed: wall time, and the processor time of a process with all its children."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Took:
    """What a command took, in seconds."""

    wall: float
    cpu: float


def timed(
    command: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    accept: Sequence[int] = (0,),
) -> Took:
    """Run *command* in *folder*; an exit code not in *accept* ends the bench with what it said."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accept:
            said.seek(0)
            end = said.read().decode(errors="replace")
            raise SystemExit(f"{' '.join(map(str, command))}: ended with {process.returncode}\n{end}")
    return Took(wall, usage.ru_utime + usage.ru_stime)


def together(*commands: Sequence[str | Path], folder: Path) -> float:
    """Return the wall time of *commands*, one after the other."""
    return sum(timed(command, folder).wall for command in commands)


def milliseconds(seconds: Iterable[float], per: int = 1) -> float:
    """Return the median of *seconds* in milliseconds, divided among *per*."""
    return round(statistics.median(seconds) * 1000 / per, 1)


def ratio(first: Iterable[float], second: Iterable[float]) -> float:
    """Return the median of the rounds' ratios."""
    return round(statistics.median(one / other for one, other in zip(first, second, strict=True)), 2)
