"""One connection of a client: what it may send before it is a request, and when it can be closed."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from platform_lib.service._limits import HeadersTooLarge
from platform_lib.service._problem import problem_body

if TYPE_CHECKING:
    import asyncio
    from typing import Protocol

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    class SupportsFileno(Protocol):
        """A socket, of the system or of the event loop."""

        def fileno(self) -> int: ...


_first_request_seconds = 2.0
_request_line_bytes = 8 * 1024  # RFC 9112 section 3 wants 8,000 octets taken at least
_head_refused = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: application/problem+json\r\n"
    b"Cache-Control: no-store\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
)


def readable(descriptor: SupportsFileno) -> bool:
    """Say whether something waits: bytes or an end, or at a listener a client."""
    look = select.poll()
    look.register(descriptor.fileno(), select.POLLIN)
    return bool(look.poll(0))


class Connection(HttpToolsProtocol):
    """One connection of a client, which can tell whether closing it would lose a request.

    Attributes:
        most_head_bytes: of a request line with its headers that still comes in; more is answered 431.
    """

    most_head_bytes = 40 * 1024

    _accepted = 0.0
    _reading_head = False
    _head_bytes = 0

    @classmethod
    def taking(cls, header_bytes: int) -> type[Connection]:
        """Return the class of connections that take so many bytes of headers, and a request line besides."""
        return type(cls.__name__, (cls,), {"most_head_bytes": header_bytes + _request_line_bytes})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Note when it began."""
        super().connection_made(transport)
        self._accepted = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Take what came; the parser would keep a head without an end, of any size."""
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._reading_head else 0
        if self._head_bytes > self.most_head_bytes and not self.transport.is_closing():
            self._refuse_head()

    def _refuse_head(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:  # else the answer to another request is under way
            fact = f"A request line with its headers has at most {self.most_head_bytes} bytes here"
            body = problem_body(HeadersTooLarge(fact))
            self.transport.write(_head_refused % len(body) + body)
        self.transport.close()

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

        Closing with bytes unread would send a reset (RFC 2525 section 2.17).
        Called again and again until the connection is gone.
        """
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
        elif not (
            self.transport.is_closing()
            or self._reading_head
            or self._expects_first_request()
            or readable(self.transport.get_extra_info("socket"))
        ):
            self._close_now()

    def _expects_first_request(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None and self.loop.time() < self._accepted + _first_request_seconds

    def _close_now(self) -> None:
        """Tell the client at once; the event loop closes a moment later, in which a request could come."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as duplicate:
            duplicate.shutdown(socket.SHUT_WR)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: anyone may ask for another protocol, and is answered in HTTP (RFC 9110 7.8)."""
