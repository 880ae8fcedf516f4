"""Send every case to the served applications, and collect the server spans that came of it."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.telemetry.corpus.cases import Case

_patience_seconds = 30.0
_caller = "00f067aa0ba902b7"


@contextmanager
def _sink() -> Iterator[tuple[str, list[Span]]]:
    """Receive OTLP by HTTP."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", spans
        finally:
            server.shutdown()
            thread.join()


def server_spans(mode: str, cases: Sequence[Case]) -> list[list[Span]]:
    """Serve the applications in a process of their own, ask for every case; return its server spans."""
    with _sink() as (url, spans):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        with subprocess.Popen(
            [sys.executable, "-m", "tests.integration.telemetry.corpus.server", mode, url],
            cwd=Path(__file__).parents[4],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        ) as process:
            assert process.stdout is not None
            ports: dict[str, int] = json.loads(process.stdout.readline() or "{}")
            for number, case in enumerate(cases, start=1):
                _ask(ports[case.app], number, case)
            _, errors = process.communicate(timeout=_patience_seconds)
        assert process.returncode == 0, errors
    found: list[list[Span]] = [[] for _ in cases]
    for span in spans:
        if span.kind == Span.SPAN_KIND_SERVER:
            # FastAPI's span joins the caller's trace; ours begins one of its own, linked to the caller's.
            trace_id = span.links[0].trace_id if span.links else span.trace_id
            found[int.from_bytes(trace_id, "big") - 1].append(span)
    return found


def _ask(port: int, number: int, case: Case) -> None:
    head = f"{case.method} {case.target} HTTP/1.1\r\nHost: {case.host}\r\nConnection: close\r\n"
    head += f"traceparent: 00-{number:032x}-{_caller}-01\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in case.headers.items())
    if case.cut == "request":
        head += "Content-Length: 1000\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=_patience_seconds) as connection:
        connection.sendall(head.encode() + b"\r\n" + (b"half of it" if case.cut == "request" else b""))
        if case.cut == "request":
            return
        while connection.recv(65_536) and not case.cut:
            pass


def attributes(span: Span) -> dict[str, Any]:
    """Return the attributes of *span* that are text or integers."""
    return {
        item.key: item.value.int_value if item.value.HasField("int_value") else item.value.string_value
        for item in span.attributes
    }
