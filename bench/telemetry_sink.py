"""An OTLP sink: takes spans and metrics over http/protobuf and counts server spans by service."""

import asyncio
import collections
import gzip
import json
import os
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

bodies: list[bytes] = []


class Sink(asyncio.Protocol):
    """One connection of an exporter; bodies are kept and read when somebody asks for the counts."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Take pieces of requests and answer each whole one."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1").lower()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            length = int(fields.get("content-length", "0"))
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            answer = b""
            if head.startswith("post /v1/traces"):
                bodies.append(body)
            elif head.startswith("get /counts"):
                answer = json.dumps(counts()).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
            if fields.get("connection") == "close":
                self.transport.close()


def counts() -> dict[str, int]:
    """Return how many spans of kind SERVER came from each service."""
    found: collections.Counter[str] = collections.Counter()
    for body in bodies:
        plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        for of_resource in ExportTraceServiceRequest.FromString(plain).resource_spans:
            names = {item.key: item.value.string_value for item in of_resource.resource.attributes}
            spans = [
                span
                for scope in of_resource.scope_spans
                for span in scope.spans
                if span.kind == Span.SPAN_KIND_SERVER
            ]
            found[names["service.name"]] += len(spans)
    return dict(found)


async def main() -> None:
    """Serve on a free port, which is printed, pinned to the given core."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
