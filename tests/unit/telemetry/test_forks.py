"""A forked child: it says once that nothing leaves from it, sends nothing of its parent's, never hangs."""

from __future__ import annotations

import json

import pytest

from tests.unit.telemetry.sink import collector, nobody, run

FORK = """
import logging, os
from opentelemetry import metrics
from platform_lib.telemetry import TelemetrySettings, client_span, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(endpoint="{url}", logs="both", log_format="json"),
    service_name="payments", version="1", environment="test",
)
counter = metrics.get_meter("shop").create_counter("orders")
counter.add(5)
for number in range(600):  # threads are busy, and hold their locks now and then
    with client_span("of the parent"): pass
    logging.getLogger("shop").info("of the parent")
child = os.fork()
if child == 0:
    for number in range(50):
        with client_span("of the child"): pass
        logging.getLogger("shop").info("of the child")
        counter.add(1)
    print("child", telemetry.shutdown(20), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("parent", telemetry.shutdown({timeout}), flush=True)
"""


def test_a_child_says_once_that_nothing_leaves_from_it_and_the_parent_goes_on() -> None:
    with collector() as sink:
        done = run(FORK.format(url=sink.url, timeout=20))

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("spans: recorded in the forked process") == 1
    assert done.stdout.count("metrics: recorded in the forked process") == 1
    assert done.stdout.count("log records: recorded in the forked process") == 1
    assert "multiprocessing's method spawn" in done.stdout
    assert "child False" in done.stdout
    assert "parent True" in done.stdout
    assert [span.name for span in sink.spans] == ["of the parent"] * 600
    assert [record.body.string_value for _, record in sink.logs] == ["of the parent"] * 600
    assert [metric.sum.data_points[0].as_int for metric in sink.metrics] == [5]
    assert done.stdout.count('"message": "of the child"') == 50


@pytest.mark.parametrize("attempt", range(3))
def test_a_child_of_a_process_whose_collector_is_dead_does_not_hang(attempt: int) -> None:
    del attempt
    with nobody() as url:
        done = run(FORK.format(url=url, timeout=0.2))

    assert done.returncode == 0, done.stderr
    assert "child False" in done.stdout


SERVING = """
import asyncio, os, sys
from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(log_format="json"), service_name="p", version="1", environment="test"
)
class Route: path_format = "/pay"
async def app(scope, receive, send):
    scope["route"] = Route
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})
async def receive(): return {"type": "http.request"}
async def send(message): pass
served = ServerSpans(app)
def serve():
    asyncio.run(served({"type": "http", "method": "GET", "path": "/pay", "headers": []}, receive, send))
serve()
child = os.fork()
"""
ENDING = """
if child == 0:
    sys.exit(0)  # runs what is registered for the end of an interpreter
os.waitpid(child, 0)
telemetry.shutdown()
"""


def test_a_child_does_not_write_its_parents_access_lines_a_second_time() -> None:
    done = run(SERVING + ENDING)

    assert done.stdout.count('"GET /pay 200"') == 1, done.stdout + done.stderr


def test_a_child_uses_no_ids_that_its_parent_uses() -> None:
    done = run(SERVING + "serve()" + ENDING)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    ids = [line["trace_id"] for line in lines if line["message"] == "GET /pay 200"]
    assert len(ids) == len(set(ids)) == 3, done.stdout + done.stderr
