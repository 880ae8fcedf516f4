"""The end of a listener and of its connections: whoever got a connection gets an answer."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import struct
import sys
from typing import TYPE_CHECKING

from platform_lib.service._connection import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvicorn.server import ServerState


_handshake_seconds = 0.1
_accept_turns = 100
_look_every_seconds = 0.02

_so_attach_filter = 26  # asm-generic/socket.h; Python's socket module does not name it
# Classic BPF over the TCP header (RFC 9293 section 3.1), byte 13 holding the flags. A segment with SYN and
# without ACK asks for a new connection and is dropped; what belongs to one, or to a handshake, passes.
_no_new_connections = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load byte 13
        (0x54, 0, 0, 0x12),  # keep SYN and ACK
        (0x15, 0, 1, 0x02),  # SYN alone: go on, else skip one
        (0x06, 0, 0, 0),  # drop
        (0x06, 0, 0, 0xFFFF_FFFF),  # keep all of it
    )
)


def turn_away(listener: socket.socket) -> None:
    """Have the system drop requests for new connections; connections that began are still handed over.

    Closing a listener resets the connections that wait to be accepted, and one can come between the last
    look and the close. A client that is dropped asks again after a second and is refused by then, or served
    by whoever listens next: either is safe to try elsewhere, a reset is not. Linux only; elsewhere nothing
    happens.
    """
    if not sys.platform.startswith("linux"):
        return
    program = ctypes.create_string_buffer(_no_new_connections, len(_no_new_connections))
    instructions = len(_no_new_connections) // 8
    with contextlib.suppress(OSError):  # a sandbox may forbid it; what is queued is accepted all the same
        listener.setsockopt(
            socket.SOL_SOCKET, _so_attach_filter, struct.pack("@HP", instructions, ctypes.addressof(program))
        )


async def stop_accepting(
    servers: Sequence[asyncio.base_events.Server], listeners: Sequence[socket.socket]
) -> None:
    """Accept whom the system has already told that it is connected, then close the listeners."""
    for listener in listeners:
        turn_away(listener)
    await asyncio.sleep(_handshake_seconds)
    # Counted in turns of the loop, each of which accepts all who wait: a starved process may need seconds for
    # one. Where nobody could be turned away more may always come, hence a bound.
    for _ in range(_accept_turns):
        if not any(readable(listener) for listener in listeners):
            break
        await asyncio.sleep(0)
    for server in servers:
        server.close()
    for listener in listeners:
        listener.close()


async def close_connections(state: ServerState) -> None:
    """Close each connection once nothing is owed to it; return when all are gone and their work is done."""
    while state.connections or state.tasks:
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.sleep(_look_every_seconds)
