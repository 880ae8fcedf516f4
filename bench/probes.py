"""What a probe costs: processor time from ASGI call to the last message, on the main port, memory only.

Processor time, so that a busy machine does not count as a slow probe; it is the median of the rounds.
A probe may take 50 microseconds. Counted besides: system calls that touch files or sockets, of which there
must be none; `strace` is not needed, for an audit hook sees every open, connect and send of Python.
The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any

from platform_lib.config import load
from platform_lib.service import Message, Scope, Service, ServiceSettings

rounds, requests = 15, 2000
wanted_us = 50.0
probes = ("/livez", "/readyz", "/startupz")


class BenchSettings(ServiceSettings, prefix="BENCH"):
    """Production, as it is deployed."""


async def app(_scope: Scope, _receive: Any, _send: Any) -> None:
    """Never reached by a probe."""
    raise NotImplementedError


async def passes() -> None:
    """Be well."""


async def measure() -> dict[str, Any]:
    """Return the figures for a service with eight checks."""
    service = Service("bench", load(BenchSettings, environ={"BENCH_ENVIRONMENT": "production"}))
    for number in range(8):
        service.check(f"dependency {number}", passes, criticality="critical")
    installed = service.install(app)
    await service.start()
    touched: list[str] = []
    watching = False

    def audit(event: str, _: tuple[Any, ...]) -> None:
        if watching and event.startswith(("open", "socket.", "os.", "subprocess.", "sqlite3.", "import")):
            touched.append(event)

    sys.addaudithook(audit)
    answers: list[Message] = []

    async def send(message: Message) -> None:
        answers.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"host", b"10.0.0.7:8080"), (b"user-agent", b"kube-probe/1.33"), (b"accept", b"*/*")]
    figures: dict[str, list[float]] = {path: [] for path in probes}
    watching = True
    for _ in range(rounds):
        for path in probes:
            scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
            begun = time.thread_time()
            for _ in range(requests):
                await installed(scope, receive, send)
            figures[path].append((time.thread_time() - begun) / requests * 1e6)
        answers.clear()
    watching = False
    await service.stop()
    medians = {path.strip("/"): round(statistics.median(times), 2) for path, times in figures.items()}
    return {
        **{f"{name}_us": value for name, value in medians.items()},
        "wanted_us": wanted_us,
        "within": max(medians.values()) <= wanted_us,
        "io_events": len(touched),
    }


if __name__ == "__main__":
    found = asyncio.run(measure())
    for name in ("livez", "readyz", "startupz"):
        print(f"{name:<9} {found[f'{name}_us']:6.2f} us (at most {wanted_us:g} wanted)")
    print(f"files and sockets touched: {found['io_events']}")
    print(json.dumps(found))
