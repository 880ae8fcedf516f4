"""An OpenTelemetry collector for one machine: receives OTLP over HTTP and keeps the spans in memory.

Source: OTLP 1.9, section "OTLP/HTTP", binary protobuf encoding.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from paypath.demo.trace import Span

_capacity = 10_000


class Collector:
    """Listens on an ephemeral loopback port while it is entered.

    Holds the first 10,000 spans and counts what comes after them, so that memory stays bounded.
    """

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._arrived = threading.Condition()
        self.dropped = 0

    @property
    def url(self) -> str:
        """Return the base URL for ``OTEL_EXPORTER_OTLP_ENDPOINT``."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def wait_until(self, enough: Callable[[list[Span]], bool], *, timeout: float) -> list[Span]:
        """Return the spans received as soon as they are *enough*, or what came within *timeout* seconds."""
        with self._arrived:
            self._arrived.wait_for(lambda: enough(self._spans), timeout)
            return list(self._spans)

    def receive(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of one export."""
        received = [
            _span(span, service)
            for resource in request.resource_spans
            for service in [_service_name(resource.resource.attributes)]
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._arrived:
            room = _capacity - len(self._spans)
            self._spans.extend(received[:room])
            self.dropped += max(0, len(received) - room)
            self._arrived.notify_all()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"collector": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="collector", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    collector: ClassVar[Collector]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/traces":
            self.collector.receive(ExportTraceServiceRequest.FromString(body))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(HTTPStatus.OK)
        else:
            answer = b""
            self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Stay quiet: the demo's output is the story."""


def _service_name(attributes: object) -> str:
    return str(_attributes(attributes).get("service.name", "unknown"))


def _attributes(pairs: object) -> dict[str, str | int | bool | float]:
    return {pair.key: _value(pair.value) for pair in pairs}  # type: ignore[attr-defined]  # protobuf repeated


def _value(value: AnyValue) -> str | int | bool | float:
    kind = value.WhichOneof("value")
    plain = getattr(value, kind) if kind else ""
    return plain if isinstance(plain, str | int | bool | float) else str(plain)


def _span(span: object, service: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),  # type: ignore[attr-defined]  # the generated class has no importable name
        span_id=span.span_id.hex(),  # type: ignore[attr-defined]
        parent_id=span.parent_span_id.hex() or None,  # type: ignore[attr-defined]
        name=span.name,  # type: ignore[attr-defined]
        kind=int(span.kind),  # type: ignore[attr-defined]
        service=service,
        start_ns=span.start_time_unix_nano,  # type: ignore[attr-defined]
        end_ns=span.end_time_unix_nano,  # type: ignore[attr-defined]
        attributes=_attributes(span.attributes),  # type: ignore[attr-defined]
        failed=span.status.code == 2,  # type: ignore[attr-defined]  # noqa: PLR2004  # STATUS_CODE_ERROR
    )
