"""A peer on a real socket that answers as a test says."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Writer = asyncio.StreamWriter
Behaviour = Callable[[Writer], Awaitable[None]]


@dataclass
class Peer:
    """A server that answers each request as the test says, and remembers what it got."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answered: int = 0


def answer(status: int, body: bytes = b"{}", headers: str = "") -> Behaviour:
    async def write(writer: Writer) -> None:
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return write


def raw(data: bytes) -> Behaviour:
    async def write(writer: Writer) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return write


async def close(writer: Writer) -> None:
    writer.close()


async def reset(writer: Writer) -> None:
    """Send a TCP reset instead of an orderly end."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Answer the first request by the first of *behaviours*, and so on; the last one stays."""
    left = list(behaviours)

    async def write(writer: Writer) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(writer)

    return write


@asynccontextmanager
async def peer(behave: Behaviour) -> AsyncIterator[Peer]:
    it = Peer()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                it.requests.append((head[0], headers, body))
                await behave(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield it
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
