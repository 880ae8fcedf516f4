"""An OTLP collector for tests: real sockets, every signal parsed from protobuf; and dead collectors."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_REQUESTS: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


@dataclass
class Sink:
    """What a collector received."""

    url: str
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.bodies]

    def _requests(self, path: str) -> list[Any]:
        return [_REQUESTS[path].FromString(body) for at, body in list(self.bodies) if at == path]

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Return the resource of every request."""
        return [
            plain(of_resource.resource.attributes)
            for path, name in (
                ("/v1/traces", "resource_spans"),
                ("/v1/metrics", "resource_metrics"),
                ("/v1/logs", "resource_logs"),
            )
            for request in self._requests(path)
            for of_resource in getattr(request, name)
        ]

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self._requests("/v1/traces")
            for of_resource in request.resource_spans
            for scope in of_resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> list[Any]:
        return [
            metric
            for request in self._requests("/v1/metrics")
            for of_resource in request.resource_metrics
            for scope in of_resource.scope_metrics
            for metric in scope.metrics
        ]

    @property
    def logs(self) -> list[tuple[str, Any]]:
        """Return the log records with the names of their loggers."""
        return [
            (scope.scope.name, record)
            for request in self._requests("/v1/logs")
            for of_resource in request.resource_logs
            for scope in of_resource.scope_logs
            for record in scope.log_records
        ]

    def everything(self) -> str:
        return "".join(body.decode("latin-1") for _, body in self.bodies)


def plain(attributes: Any) -> dict[str, Any]:
    return {item.key: _plain(item.value) for item in attributes}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


@contextmanager
def collector(status: int = 200) -> Iterator[Sink]:
    """Receive OTLP by HTTP, also as a proxy that is told the whole URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            sink.headers.append(dict(self.headers.items()))
            sink.bodies.append((self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        sink = Sink(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """Give the URL of a port that refuses."""
    with socket.socket() as taken:  # bound and not listening: nobody else gets it, and it refuses
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def silence() -> Iterator[str]:
    """Give the URL of a server that accepts and never answers, the worst kind of dead."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run *code* in a process of its own: a provider is set once and stays."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def becomes(true: Callable[[], bool]) -> bool:
    """Wait until something is true, twenty seconds at most."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if true():
            return True
        threading.Event().wait(0.01)
    return False
