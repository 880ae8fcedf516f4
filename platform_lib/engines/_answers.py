"""Whether a server answers in its own protocol; an open port says little, least of all a proxy's."""

from __future__ import annotations

import socket
import struct

_timeout_seconds = 1.0
_protocol_3_0 = 196608  # PostgreSQL manual, section 54.7, StartupMessage
_authentication = b"R"  # the same section; while it starts, the server sends an ErrorResponse, "E"
_info = b"INFO "  # NATS client protocol


def postgres_answers(host: str, port: int, user: str) -> bool:
    """Return whether a PostgreSQL server asks *user* to authenticate, which it does once it takes queries."""
    body = struct.pack("!i", _protocol_3_0) + f"user\0{user}\0database\0postgres\0\0".encode()
    return _first_bytes(host, port, struct.pack("!i", len(body) + 4) + body, 1) == _authentication


def nats_answers(host: str, port: int) -> bool:
    """Return whether a NATS server greets; it does so once JetStream is up."""
    return _first_bytes(host, port, b"", len(_info)) == _info


def _first_bytes(host: str, port: int, question: bytes, count: int) -> bytes:
    try:
        with socket.create_connection((host, port), timeout=_timeout_seconds) as connection:
            connection.sendall(question)
            return connection.recv(count, socket.MSG_WAITALL)
    except OSError:
        return b""
