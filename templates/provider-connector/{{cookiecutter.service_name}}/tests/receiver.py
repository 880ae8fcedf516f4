"""The payment service, as far as it hears of us: verifies, remembers, and refuses when it is told to."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from platform_lib import Clock, Problem
from platform_lib.config import Secret
from platform_lib.payments import WebhookVerifier

RECEIVER_SECRET = "whsec_cGF5cGF0aC10ZXN0LXdlYmhvb2stc2VjcmV0LTAx"


class Receiver:
    """An async context manager that serves on a socket of its own."""

    def __init__(self, clock: Clock) -> None:
        self.verifier = WebhookVerifier(Secret(RECEIVER_SECRET), clock)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.refuses_with: int | None = None
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status = self.refuses_with or self._hear(headers, body)
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    def _hear(self, headers: dict[str, str], body: bytes) -> int:
        try:
            webhook = self.verifier.verify(headers, body)
        except Problem as refused:
            return refused.status
        self.heard.append((webhook.id, json.loads(body)))
        return 200
