"""The end of a listener and of its connections: whoever got a connection gets an answer."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import select
import socket
import struct
import sys
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    class SupportsFileno(Protocol):
        """A socket, of the system or of the event loop."""

        def fileno(self) -> int: ...


_handshake_seconds = 0.1
_accept_seconds = 1.0
_first_request_seconds = 2.0
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
    with contextlib.suppress(TimeoutError):  # where nobody could be turned away, more may always come
        async with asyncio.timeout(_accept_seconds):
            while any(_readable(listener) for listener in listeners):  # noqa: ASYNC110  # the kernel sets no Event
                await asyncio.sleep(0)  # the loop accepts
    for server in servers:
        server.close()
    for listener in listeners:
        listener.close()


def _readable(descriptor: SupportsFileno) -> bool:
    look = select.poll()
    look.register(descriptor.fileno(), select.POLLIN)
    return bool(look.poll(0))


class Connection(HttpToolsProtocol):
    """One connection of a client, which can tell whether closing it would lose a request."""

    _accepted = 0.0
    _reading_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Note when it began."""
        super().connection_made(transport)
        self._accepted = self.loop.time()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._reading_head = True

    def on_headers_complete(self) -> None:
        """Note that the request is known; from here on it is in flight."""
        self._reading_head = False
        super().on_headers_complete()

    def shutdown(self) -> None:
        """Close once nothing is owed: no answer, and no request half read, unread, or about to come.

        Called again and again until the connection is gone.
        """
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
        elif not (self._reading_head or self._expects_first_request() or self._unread()):
            self.transport.close()

    def _expects_first_request(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None and self.loop.time() < self._accepted + _first_request_seconds

    def _unread(self) -> bool:
        """Say whether bytes wait for us: closing would answer them with a reset (RFC 2525 section 2.17)."""
        return not self.transport.is_closing() and _readable(self.transport.get_extra_info("socket"))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: anyone may ask for another protocol, and is answered in HTTP (RFC 9110 7.8)."""


async def close_connections(state: ServerState) -> None:
    """Close each connection once nothing is owed to it; return when all are gone and their work is done."""
    while state.connections or state.tasks:
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.sleep(_look_every_seconds)
