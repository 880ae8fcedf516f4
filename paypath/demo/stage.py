"""The stage: the servers and processes that the story needs, started in order and stopped in reverse."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import Signals

import httpx2

from platform_lib.clock import Clock
from platform_lib.engines import Child
from platform_lib.errors import PlatformError

# Variables of the caller's shell that would change what the demo shows.
_foreign = ("PAYMENTS_", "SANDBOX_", "OTEL_", "PG")


class StageFailed(PlatformError):
    """Something on the stage did not come up; the message carries its last words."""


def environment(**variables: str) -> dict[str, str]:
    """Return the caller's environment without what would change the demo, plus *variables*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_foreign)}
    return {**kept, "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def process(module: str, *arguments: str, log: Path, variables: Mapping[str, str]) -> Iterator[Child]:
    """Run ``python -m module arguments`` until the block ends; it may not be ready yet."""
    child = Child([sys.executable, "-m", module, *arguments], log=log, environment=environment(**variables))
    try:
        yield child
    finally:
        child.stop(Signals.SIGTERM, timeout=10)


def wait_until_ready(name: str, child: Child, url: str, clock: Clock) -> None:
    """Return when GET *url* answers 200.

    Raises:
        StageFailed: when the process ends before, or is not ready after 30 seconds.
    """
    deadline = clock.monotonic() + 30
    with httpx2.Client(timeout=2) as http:
        while clock.monotonic() < deadline:
            try:
                if http.get(url).status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                pass  # not listening yet
            if child.wait(0.05) is not None:
                break
    status = child.poll()
    fact = "not ready after 30 s" if status is None else f"ended with status {status} before it was ready"
    raise StageFailed(f"{name}: {fact}; its last lines:\n{child.output(last_lines=15)}")


def run(name: str, module: str, *arguments: str, log: Path, variables: Mapping[str, str]) -> None:
    """Run ``python -m module arguments`` to its end.

    Raises:
        StageFailed: when it ends with another status than 0, or takes more than a minute.
    """
    child = Child([sys.executable, "-m", module, *arguments], log=log, environment=environment(**variables))
    try:
        status = child.wait(60)
    finally:
        child.stop(Signals.SIGTERM, timeout=5)
    if status != 0:
        ended = "did not end within a minute" if status is None else f"ended with status {status}"
        raise StageFailed(f"{name}: {ended}; its last lines:\n{child.output(last_lines=15)}")
