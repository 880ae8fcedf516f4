"""The listening socket, and who holds the port when it is taken."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from platform_lib.errors import PlatformError
from platform_lib.redaction import redact

_listening = "0A"
_longest_command = 80


class PortTaken(PlatformError):
    """Another process listens on the port.

    Attributes:
        port: the port that is taken.
        holder: the process that holds it, as far as this user may know; None if not.
    """

    def __init__(self, setting: str, host: str, port: int) -> None:
        self.port = port
        self.holder = port_holder(port)
        super().__init__(
            f"{setting}: port {port} on {host} is taken by {self.holder or 'another process'}; "
            f"stop it, or set {setting} to a free port"
        )


class AddressUnusable(PlatformError):
    """The address cannot be listened on."""


def bind(host: str, port: int, *, setting: str) -> socket.socket:
    """Return a socket that is bound, not yet listening: clients are refused until the service is ready.

    *setting* names the port's setting in error messages. Raises `PortTaken` or `AddressUnusable`.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise AddressUnusable(
            f"{setting}: {host} is no address of this machine ({error.strerror})"
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise refusal(error, host, port, setting=setting) from error
    return listener


def refusal(error: OSError, host: str, port: int, *, setting: str) -> PlatformError:
    """Return what to raise when the system refuses to bind to an address or to listen on it."""
    if error.errno == errno.EADDRINUSE:
        return PortTaken(setting, host, port)
    return AddressUnusable(f"{setting}: cannot listen on {host}:{port}: {error.strerror}")


def port_holder(port: int, *, proc: Path = Path("/proc")) -> str | None:
    """Name who listens on *port*, as ``name (pid 123: command)``; None where /proc does not tell."""
    inodes = {
        f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(proc / "net" / table, port)
    }
    if not inodes:
        return None
    for process in proc.iterdir():
        if process.name.isdecimal() and _holds(process, inodes):
            return _described(process)
    return None


def _inodes(table: Path, port: int) -> list[str]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _listening and int(row[1].rpartition(":")[2], 16) == port]


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        return any(str(descriptor.readlink()) in inodes for descriptor in (process / "fd").iterdir())
    except OSError:  # another user's process, or one that has just ended
        return False


def _described(process: Path) -> str:
    try:
        name = (process / "comm").read_text().strip()
        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return f"pid {process.name}"
    command = redact(command)
    if len(command) > _longest_command:
        command = command[: _longest_command - 1] + "…"
    return f"{name} (pid {process.name}: {command})"
