"""A service that the tests of serving run as a process of its own; it prints what happens to its parts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from types import TracebackType
from typing import Self

from platform_lib.config import load_or_exit
from platform_lib.service import Receive, Scope, Send, Service, ServiceSettings, serve

gate = asyncio.Event()
"""What is slow waits for this; SIGUSR1 opens it."""


class ShopSettings(ServiceSettings, prefix="SHOP"):
    pass


class Part:
    """A resource that prints its steps and misbehaves as `TEST_<NAME>` says."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._behaviour = os.environ.get(f"TEST_{name.upper()}", "")

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, gate.set)
        print(f"open {self._name}", flush=True)  # noqa: T201  # the test reads it
        if self._behaviour == "refuses":
            raise ConnectionRefusedError("no one at postgres://app:hunter2@db:5432")
        if self._behaviour == "slow":
            await gate.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        print(f"close {self._name}", flush=True)  # noqa: T201  # the test reads it
        if self._behaviour == "lingers":
            await gate.wait()


async def relay() -> None:
    """Run until the stop."""
    print("run relay", flush=True)  # noqa: T201  # the test reads it
    try:
        await asyncio.Event().wait()
    finally:
        print("end relay", flush=True)  # noqa: T201  # the test reads it


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, or under /slow when the gate opens; /block?1.5 holds up the loop, /thread a thread."""
    if scope["type"] != "http":
        raise NotImplementedError
    await receive()
    if scope["path"] == "/slow":
        print("slow begins", flush=True)  # noqa: T201  # the test reads it
        await gate.wait()
    if scope["path"] == "/thread":
        print("thread begins", flush=True)  # noqa: T201  # the test reads it
        await asyncio.to_thread(time.sleep, 600)
    if scope["path"] == "/block":
        time.sleep(float(scope["query_string"]))  # noqa: ASYNC251  # what no handler should do
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


if __name__ == "__main__":
    service = Service("shop", load_or_exit(ShopSettings), version="1.2")
    service.resource("database", Part("database"))
    service.resource("broker", Part("broker"))
    service.worker("relay", relay)
    sys.exit(serve(service, app))
