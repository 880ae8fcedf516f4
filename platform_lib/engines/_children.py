"""Child processes that cannot outlive the process which started them."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_launcher = Path(__file__).with_name("_launch.py")


@dataclass(frozen=True, slots=True)
class User:
    """A user of this machine, by its numbers."""

    uid: int
    gid: int
    name: str


class Child:
    """A process tied to this one's life, in a session of its own: a terminal's Ctrl-C does not reach it.

    When this process ends in any way, SIGKILL included, the kernel sends *death_signal* to the child.
    Output goes to the file *log*.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        death_signal: signal.Signals = signal.SIGKILL,
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.log = log
        launcher = [
            sys.executable,
            *("-I", "-S", str(_launcher)),
            *(str(os.getpid()), str(int(death_signal))),
            *(str(user.uid if user else -1), str(user.gid if user else -1)),
        ]
        with log.open("ab") as output:
            self._process = _spawn(
                [*launcher, *(str(argument) for argument in arguments)], output, environment, folder
            )

    @property
    def pid(self) -> int:
        """Return the process id, which is also the id of its process group and session."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float) -> int | None:
        """Wait up to *timeout* seconds for the end; return the exit status or None."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself; nothing happens when it has ended."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, timeout: float = 5.0) -> int:
        """End the process with *number*, and after *timeout* seconds its whole group with SIGKILL."""
        self.send(number)
        status = self.wait(timeout)
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            status = self._process.wait()
        return status

    def output(self, *, last_lines: int | None = None) -> str:
        """Return what the process wrote so far, or only the last lines of it."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines if last_lines is None else lines[-last_lines:])


_Request = tuple[
    list[str], IO[bytes], Mapping[str, str] | None, Path | None, "Future[subprocess.Popen[bytes]]"
]


class _Spawner:
    """The thread that starts every child.

    The kernel sends the death signal when the *thread* that forked ends, so a child started from a worker
    thread would die with that worker. This thread lives as long as the process.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="paypath-spawner", daemon=True)
        self.thread.start()

    def spawn(
        self,
        arguments: list[str],
        output: IO[bytes],
        environment: Mapping[str, str] | None,
        folder: Path | None,
    ) -> subprocess.Popen[bytes]:
        reply: Future[subprocess.Popen[bytes]] = Future()
        self._requests.put((arguments, output, environment, folder, reply))
        return reply.result()

    def _run(self) -> None:
        while True:
            arguments, output, environment, folder, reply = self._requests.get()
            try:
                process = subprocess.Popen(  # noqa: S603  # the callers of this module choose the program
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=folder,
                    start_new_session=True,
                )
            except BaseException as error:  # noqa: BLE001  # belongs to the caller, who waits for it
                reply.set_exception(error)
            else:
                reply.set_result(process)


_lock = threading.Lock()
_spawner: _Spawner | None = None


def _spawn(
    arguments: list[str],
    output: IO[bytes],
    environment: Mapping[str, str] | None,
    folder: Path | None,
) -> subprocess.Popen[bytes]:
    global _spawner  # noqa: PLW0603  # one thread a process; a fork leaves it behind, hence the check
    with _lock:
        if _spawner is None or not _spawner.thread.is_alive():
            _spawner = _Spawner()
        spawner = _spawner
    return spawner.spawn(arguments, output, environment, folder)
