"""The service as its users get it: a process of its own, reached over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from platform_lib.engines import Child, free_port

_look_every_seconds = 0.02
_port_attempts = 5
_exit_seconds = 30.0
_host = "127.0.0.1"


class ServiceNotReady(Exception):
    """The process ended, or did not become ready in time; the message has the end of its log."""


class ServiceProcess:
    """A running ``python -m <package> serve``, tied to the life of the test run.

    Attributes:
        package: the service's package.
        url: where it listens, without a slash at the end.
    """

    def __init__(self, package: str, child: Child, port: int) -> None:
        self.package = package
        self.url = f"http://{_host}:{port}"
        self._child = child
        self._port = port

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._child.pid

    @property
    def exit_status(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        return self._child.poll()

    def logs(self) -> str:
        """Return all that the process wrote so far."""
        return self._child.output()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._child.send(number)

    def kill(self) -> None:
        """End the process as a crash of the machine would: no chance to tidy up."""
        self._child.stop(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask the process to end (SIGTERM) and return its exit status; after half a minute it is killed."""
        return await asyncio.to_thread(self._child.stop, signal.SIGTERM, timeout=_exit_seconds)

    async def wait(self) -> int:
        """Return the exit status once the process ends by itself; after half a minute it is killed."""
        status = await asyncio.to_thread(self._child.wait, _exit_seconds)
        return self._child.stop(signal.SIGKILL) if status is None else status

    async def wait_until_ready(self, timeout: float) -> None:  # noqa: ASYNC109  # the message needs the log
        """Return when ``/readyz`` answers 200.

        Raises:
            ServiceNotReady: the process ended, or *timeout* seconds went by.
        """
        give_up = time.monotonic() + timeout
        while await self._probe() != "200":
            if self.exit_status is not None:
                raise ServiceNotReady(
                    f"{self.package}: ended with status {self.exit_status} while starting\n{self.logs()}"
                )
            if time.monotonic() > give_up:
                raise ServiceNotReady(f"{self.package}: not ready after {timeout:.0f} s\n{self.logs()}")
            await asyncio.sleep(_look_every_seconds)

    async def _probe(self) -> str | None:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(_host, self._port)
            try:
                writer.write(f"GET /readyz HTTP/1.1\r\nHost: {_host}\r\nConnection: close\r\n\r\n".encode())
                words = (await reader.readline()).decode().split()
            finally:
                writer.close()
            return words[1] if len(words) > 1 else None
        return None


StartService = Callable[..., Awaitable[ServiceProcess]]
"""What the fixture ``service_process`` gives: `start_service` without the folder."""


async def start_service(
    package: str,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    prefix: str | None = None,
    arguments: Sequence[str] = ("serve",),
    timeout: float = 20.0,  # noqa: ASYNC109  # the message needs the log
) -> ServiceProcess:
    """Start a service on a free port and wait until it is ready; its log goes to *folder*.

    Args:
        package: what ``python -m`` runs; the process finds it where this one does.
        folder: of the log.
        environment: added to the variables of this process and to those that the test kit sets: the port, the
            environment ``test``, and no drain, as no load balancer has to notice.
        prefix: of the service's settings; the package's name in capitals if not given.
        arguments: of the command.
        timeout: seconds to become ready.

    Raises:
        ServiceNotReady: it ended or took too long; has its log.
    """
    prefix = prefix or package.upper()
    for attempt in range(1, _port_attempts + 1):
        port = int((environment or {}).get(f"{prefix}_HTTP_PORT") or free_port())
        child = Child(
            [sys.executable, "-m", package, *arguments],
            log=folder / f"{package}-{port}.log",
            environment={
                **os.environ,
                "PYTHONPATH": _python_path(package),
                "PYTHONUNBUFFERED": "1",
                f"{prefix}_HTTP_HOST": _host,
                f"{prefix}_HTTP_PORT": str(port),
                f"{prefix}_ENVIRONMENT": "test",
                f"{prefix}_LIFECYCLE_DRAIN": "0",
                **(environment or {}),
            },
        )
        process = ServiceProcess(package, child, port)
        try:
            await process.wait_until_ready(timeout)
        except BaseException:
            process.kill()
            # Between finding the port and using it somebody else took it.
            if attempt < _port_attempts and f"port {port} on {_host} is taken" in process.logs():
                continue
            raise
        return process
    raise AssertionError  # the last attempt returns or raises


def _python_path(package: str) -> str:
    """Return a module path on which the process finds *package* where pytest did, in a ``src`` folder say."""
    spec = importlib.util.find_spec(package)
    places = [str(Path(place).parent) for place in (spec.submodule_search_locations if spec else None) or ()]
    return os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])
