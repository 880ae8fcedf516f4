"""Telemetry of a whole process, each time in a process of its own: a provider is set once and stays."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import NonRecordingSpan

from platform_lib.telemetry import Telemetry, TelemetrySettings, parse_traceparent
from platform_lib.telemetry._sdk import tracer_provider

ONE_SPAN = """
from platform_lib.telemetry import TelemetrySettings, client_span, current_trace_id, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(**{settings}), service_name="payments", version="1.2", environment="test"
)
with client_span("call"):
    assert current_trace_id()
print("shut down:", telemetry.shutdown({timeout}), flush=True)
"""


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest], list[str]]]:
    """Receive OTLP by HTTP."""
    requests: list[ExportTraceServiceRequest] = []
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            requests.append(ExportTraceServiceRequest.FromString(body))
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requests, paths
        finally:
            server.shutdown()
            thread.join()


def test_spans_reach_the_collector_before_the_process_ends() -> None:
    with collector() as (url, requests, paths):
        done = run(ONE_SPAN.format(settings={"endpoint": url}, timeout=5))

    assert done.stdout == "shut down: True\n", done.stderr
    assert paths == ["/v1/traces"]
    (resource_spans,) = requests[0].resource_spans
    resource = {item.key: item.value.string_value for item in resource_spans.resource.attributes}
    assert resource["service.name"] == "payments"
    assert resource["service.version"] == "1.2"
    assert resource["deployment.environment.name"] == "test"
    assert [span.name for span in resource_spans.scope_spans[0].spans] == ["call"]


def test_the_operators_otel_variables_are_obeyed() -> None:
    with collector() as (url, requests, paths):
        done = run(
            ONE_SPAN.format(settings={}, timeout=5),
            OTEL_EXPORTER_OTLP_ENDPOINT=url,
            OTEL_RESOURCE_ATTRIBUTES="k8s.pod.name=payments-7,deployment.environment.name=staging",
        )

    assert done.returncode == 0, done.stderr
    assert paths == ["/v1/traces"]
    resource = {
        item.key: item.value.string_value for item in requests[0].resource_spans[0].resource.attributes
    }
    assert resource["k8s.pod.name"] == "payments-7"
    assert resource["deployment.environment.name"] == "staging"


def test_a_dead_collector_delays_the_end_by_no_more_than_the_given_time() -> None:
    # A server that accepts and never answers is the worst kind of dead.
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        done = run(ONE_SPAN.format(settings={"endpoint": url}, timeout=0.3))

    assert done.stdout.startswith("shut down: False\n"), done.stdout + done.stderr


def test_without_an_endpoint_nothing_leaves_and_trace_ids_are_there_all_the_same() -> None:
    done = run(ONE_SPAN.format(settings={}, timeout=1) + "import sys; assert 'requests' not in sys.modules")

    assert done.stdout == "shut down: True\n", done.stderr


def test_exporting_can_be_switched_off_against_the_environment() -> None:
    with collector() as (url, requests, _):
        done = run(ONE_SPAN.format(settings={"exporter": "none"}, timeout=5), OTEL_EXPORTER_OTLP_ENDPOINT=url)

    assert done.returncode == 0, done.stderr
    assert requests == []


def test_a_provider_that_is_already_set_is_used_and_not_shut_down() -> None:
    done = run("""
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
class Theirs(TracerProvider):
    def shutdown(self): print("shut down")
theirs = Theirs(shutdown_on_exit=False)
trace.set_tracer_provider(theirs)
from platform_lib.telemetry import TelemetrySettings, start_telemetry
telemetry = start_telemetry(TelemetrySettings(), service_name="p", version="1", environment="test")
assert telemetry.shutdown()
assert trace.get_tracer_provider() is theirs
""")

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_importing_telemetry_and_clients_loads_no_sdk_and_no_framework() -> None:
    done = run("""
import sys
import platform_lib.telemetry, platform_lib.clients
unwanted = ("opentelemetry.sdk", "fastapi", "starlette", "requests", "alembic", "sqlalchemy")
print([name for name in sys.modules if name.startswith(unwanted)])
""")

    assert done.stdout == "[]\n", done.stderr


def test_a_parents_decision_is_kept_and_the_ratio_decides_about_new_traces() -> None:
    provider = tracer_provider(
        TelemetrySettings(sample_ratio=0.0), service_name="p", version="1", environment="test"
    )
    tracer = provider.get_tracer("test")

    def sampled(traceparent: str | None) -> bool:
        parent = parse_traceparent(traceparent)
        context = None if parent is None else trace.set_span_in_context(NonRecordingSpan(parent))
        return tracer.start_span("work", context=context).is_recording()

    assert not sampled(None)
    assert sampled("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    assert not sampled("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")


@pytest.mark.parametrize(
    ("settings", "environ", "exports"),
    [
        ({}, {}, False),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"endpoint": "http://c:4318"}, {}, True),
        ({"exporter": "none", "endpoint": "http://c:4318"}, {}, False),
        ({"exporter": "otlp"}, {}, True),
    ],
)
def test_spans_leave_where_an_endpoint_is_known(
    settings: dict[str, str],
    environ: dict[str, str],
    exports: bool,  # noqa: FBT001  # a column of the table above
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert TelemetrySettings.model_validate(settings).exports is exports


def test_shutting_down_twice_does_the_work_once() -> None:
    calls: list[int] = []
    telemetry = Telemetry(lambda: calls.append(1))

    assert telemetry.shutdown()
    assert telemetry.shutdown()
    assert calls == [1]
