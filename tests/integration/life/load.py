"""An open-loop load: requests leave at a fixed rate however slow the answers; each is accounted for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from platform_lib.service._connection import readable

_answer_seconds = 20.0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encoded(self, host: str) -> bytes:
        """Return its bytes (RFC 9112)."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request.

    Attributes:
        outcome: the status; or `refused` when nobody listened any more, which is safe to try elsewhere; or
            the name of the error after a connection was had.
        sent: when it left, on the monotonic clock, in seconds.
        closing: the answer said `Connection: close`.
    """

    outcome: str
    sent: float
    closing: bool = False


@dataclass(slots=True)
class Load:
    """Requests to one address, *per_second* of them, until told to stop.

    With *kept* connections a client takes one that is idle and opens another only when it must, as every HTTP
    client with a pool does; without, each request has a connection of its own.
    """

    host: str
    port: int
    per_second: int
    request: Callable[[int], Request]
    kept: bool = True
    answers: list[Answer] = field(default_factory=list)
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Send until `stop`; return when every request has its answer."""
        async with asyncio.TaskGroup() as sending:
            began, number = time.monotonic(), 0
            while not self._stopped.is_set():
                sending.create_task(self._send(self.request(number)))
                number += 1
                pause = began + number / self.per_second - time.monotonic()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), max(pause, 0))
        for _, writer in self._idle:
            writer.close()

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()

    def outcomes(self) -> Counter[str]:
        """Return how often each outcome came."""
        return Counter(answer.outcome for answer in self.answers)

    async def _send(self, request: Request) -> None:
        sent = time.monotonic()
        try:
            async with asyncio.timeout(_answer_seconds):
                reader, writer = await self._connection()
                writer.write(request.encoded(f"{self.host}:{self.port}"))
                status, closing = await _answer(reader)
        except ConnectionRefusedError:
            self.answers.append(Answer("refused", sent))
        except (OSError, EOFError, TimeoutError) as error:
            self.answers.append(Answer(type(error).__name__, sent))
        else:
            self.answers.append(Answer(status, sent, closing))
            if closing or not self.kept:
                writer.close()
            else:
                self._idle.append((reader, writer))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            # Whether the server has closed it is asked of the system, as httpcore does: the event loop
            # may hear of it later.
            if not readable(writer.get_extra_info("socket")):
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self.host, self.port)


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = head.split(" ", 2)[1]
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    await reader.readexactly(int(fields["content-length"]))
    return status, fields.get("connection") == "close"
