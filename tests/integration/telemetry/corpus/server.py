"""Serve every application of the corpus, each on a port of its own, until standard input ends.

The first argument says who makes the server spans (`native`, `ours`, or `api` for ours on somebody else's
provider), the second where they go.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry
from tests.integration.telemetry.corpus.apps import APPS, Header


class Server(uvicorn.Server):
    """One of many in this process."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=5)
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone; there are many servers here."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it listens."""
        await super().startup(sockets)
        self.listening.set()


def sdk(sink: str) -> Callable[[], object]:
    from opentelemetry import trace  # noqa: PLC0415  # not in every mode
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{sink}/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider.shutdown


def telemetry(mode: str, sink: str) -> Callable[[], object]:
    """Start it; return how to end it."""
    if mode != "ours":
        return sdk(sink)
    settings = TelemetrySettings(endpoint=sink, log_level="ERROR")
    return start_telemetry(settings, service_name="corpus", version="1", environment="test").shutdown


def traced(mode: str, app: Any) -> Any:
    return app if mode == "native" else ServerSpans(app)


async def main(mode: str, sink: str) -> None:
    stop = telemetry(mode, sink)
    apps = {name: traced(mode, make()) for name, make in APPS.items()}
    apps["outside"] = Header(traced(mode, APPS["middleware"]()))
    servers = {name: Server(app) for name, app in apps.items()}
    listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in servers}
    running = [
        asyncio.create_task(server.serve(sockets=[listeners[name]])) for name, server in servers.items()
    ]
    for server in servers.values():
        await server.listening.wait()
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    print(json.dumps(ports), flush=True)  # noqa: T201  # the test reads it
    await asyncio.to_thread(sys.stdin.read)
    for server in servers.values():
        server.should_exit = True
    await asyncio.gather(*running)
    stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
