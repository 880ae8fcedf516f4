"""The way out of the process: bounded, counted, and never in a request's way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from platform_lib.telemetry._collector import Collector
from platform_lib.telemetry._outlet import Outcome, Outlet
from platform_lib.telemetry._plan import Destination, Queue
from tests.unit.telemetry.sink import becomes

SPAN = b"\x12\x02\x2a\x00"

SERVICE = """
import asyncio, sys
from platform_lib.config import load
from platform_lib.service import Service, ServiceSettings, serve
class ShopSettings(ServiceSettings, prefix="SHOP"): ...
class Route: path_format = "/pay"
async def app(scope, receive, send):
    scope["route"] = Route
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})
sys.exit(serve(Service("shop", load(ShopSettings)), app))
"""


def spans_of(body: bytes) -> int:
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for each in request.resource_spans for scope in each.scope_spans)


def test_everything_that_was_put_is_sent_before_the_outlet_closes() -> None:
    sent: list[int] = []

    def deliver(body: bytes) -> Outcome:
        sent.append(spans_of(body))
        return "taken"

    outlet = Outlet(b"", deliver)
    for _ in range(2000):
        outlet.put(b"", SPAN, 1)
    outlet.close()

    assert sum(sent) == outlet.sent == 2000
    assert outlet.dropped == 0


def test_a_full_queue_drops_and_counts_and_does_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    asked, answer = threading.Event(), threading.Event()

    def deliver(_: bytes) -> Outcome:
        asked.set()
        answer.wait(20)
        return "taken"

    outlet = Outlet(b"", deliver, queue=Queue(capacity=3))
    outlet.put(b"", SPAN, 1)
    assert asked.wait(20)
    for _ in range(5):
        outlet.put(b"", SPAN, 1)
    assert outlet.dropped == 2
    answer.set()
    outlet.close()

    assert (outlet.sent, outlet.dropped) == (4, 2)
    assert "2 lost so far" in caplog.text


def test_what_the_collector_may_take_later_is_sent_again() -> None:
    answers: list[Outcome] = ["later", "later", "taken"]
    outlet = Outlet(b"", lambda _: answers.pop(0), pauses_seconds=(0, 0))
    outlet.put(b"", SPAN, 1)

    assert becomes(lambda: outlet.sent == 1)
    outlet.close()
    assert answers == []


def test_what_the_collector_refuses_is_lost_and_counted() -> None:
    outlet = Outlet(b"", lambda _: "refused")
    outlet.put(b"", SPAN, 1)
    outlet.close()

    assert (outlet.sent, outlet.dropped) == (0, 1)


def test_a_closing_outlet_tries_a_dead_collector_once() -> None:
    asked: list[bytes] = []

    def deliver(body: bytes) -> Outcome:
        asked.append(body)
        return "later"

    outlet = Outlet(b"", deliver, pauses_seconds=(60,))
    for _ in range(3000):
        outlet.put(b"", SPAN, 1)
    outlet.close()

    assert len(asked) <= 2  # one may have been under way
    assert outlet.dropped == 3000


@pytest.mark.parametrize(("outcome", "all_taken"), [("taken", True), ("refused", False), ("later", False)])
def test_closing_says_whether_all_that_was_queued_was_taken(
    outcome: Outcome,
    all_taken: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    outlet = Outlet(b"", lambda _: outcome)
    for _ in range(1200):
        outlet.put(b"", SPAN, 1)

    assert outlet.close() is all_taken


def test_what_is_put_after_closing_is_dropped_and_counted() -> None:
    outlet = Outlet(b"", lambda _: "taken")
    outlet.close()

    outlet.put(b"", SPAN, 1)

    assert outlet.dropped == 1


def test_what_is_put_while_something_is_put_waits_for_nobody() -> None:
    outlet = Outlet(b"", lambda _: "taken")

    class Queue(deque[tuple[bytes, bytes, int]]):
        """A queue during whose growth garbage is collected that logs."""

        def append(self, item: tuple[bytes, bytes, int]) -> None:
            super().append(item)
            if len(self) == 1:
                outlet.put(b"", SPAN, 1)

    outlet._queue = Queue()
    putting = threading.Thread(target=outlet.put, args=(b"", SPAN, 1), daemon=True)
    putting.start()
    putting.join(20)

    assert not putting.is_alive()
    assert outlet.close()
    assert outlet.sent == 2


def test_in_a_forked_child_what_is_put_is_dropped_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[bytes] = []

    def deliver(body: bytes) -> Outcome:
        sent.append(body)
        return "taken"

    outlet = Outlet(b"", deliver)
    outlet.forked()
    for _ in range(5):
        outlet.put(b"", SPAN, 1)

    assert not outlet.close()
    assert not sent
    assert outlet.dropped == 5
    assert caplog.text.count("spans: recorded in the forked process") == 1


def test_nobody_listening_is_later_and_raises_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    collector = Collector(Destination(f"http://127.0.0.1:{port}/v1/traces", timeout_seconds=1, compress=True))

    assert collector.post(b"x") == "later"


def test_sigterm_with_a_live_collector_loses_no_span() -> None:
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                received.append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", SERVICE],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
                "SHOP_HTTP_PORT": str(port),
                "SHOP_LIFECYCLE_DRAIN": "0",
                "SHOP_TELEMETRY_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
                assert becomes(lambda: _ready(client))
                for _ in range(120):  # their lines fit into the pipe that nobody reads meanwhile
                    assert client.get("/pay").status_code == 200
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            process.communicate()
        server.shutdown()

    assert sum(spans_of(body) for body in received) == 120
    assert output.count("GET /pay 200") == 120


def _ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False
