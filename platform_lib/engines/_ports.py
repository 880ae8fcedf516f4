"""Free ports, and who holds the taken ones."""

from __future__ import annotations

import errno
import socket

from platform_lib.engines._engine import loopback
from platform_lib.service import port_holder


def free_port() -> int:
    """Return a TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((loopback, 0))
        port: int = probe.getsockname()[1]
    return port


def port_is_taken(port: int) -> bool:
    """Return whether something listens on *port* of the loopback address or of all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((loopback, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def holder_of(port: int) -> str:
    """Return who listens on *port*, such as ``nats-server (pid 4711: nats-server -js)``, as far as known."""
    return port_holder(port) or "another process"
