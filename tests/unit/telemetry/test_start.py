"""Telemetry of a whole process, each time in a process of its own: a provider is set once and stays."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan

from platform_lib.telemetry import Telemetry, TelemetrySettings, parse_traceparent
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._sdk import tracer_provider
from tests.unit.telemetry.sink import collector, nobody, run, silence

ONE_SPAN = """
from platform_lib.telemetry import TelemetrySettings, client_span, current_trace_id, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(**{settings}), service_name="payments", version="1.2", environment="test"
)
with client_span("call"):
    assert current_trace_id()
print("shut down:", telemetry.shutdown({timeout}), flush=True)
"""


def test_spans_reach_the_collector_before_the_process_ends() -> None:
    with collector() as sink:
        done = run(ONE_SPAN.format(settings={"endpoint": sink.url}, timeout=5))

    assert done.stdout == "shut down: True\n", done.stderr
    assert sink.paths == ["/v1/traces"]
    (resource,) = sink.resources
    assert resource["service.name"] == "payments"
    assert resource["service.version"] == "1.2"
    assert resource["deployment.environment.name"] == "test"
    assert [span.name for span in sink.spans] == ["call"]


def test_the_operators_otel_variables_are_obeyed() -> None:
    with collector() as sink, nobody() as refused:
        done = run(
            ONE_SPAN.format(settings={"endpoint": refused}, timeout=5),
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_RESOURCE_ATTRIBUTES="k8s.pod.name=payments-7,deployment.environment.name=staging",
        )

    assert done.returncode == 0, done.stderr
    assert sink.paths == ["/v1/traces"]
    (resource,) = sink.resources
    assert resource["k8s.pod.name"] == "payments-7"
    assert resource["deployment.environment.name"] == "staging"


def test_without_an_endpoint_nothing_leaves_and_trace_ids_are_there_all_the_same() -> None:
    done = run(ONE_SPAN.format(settings={}, timeout=1) + "import sys; assert 'requests' not in sys.modules")

    assert done.stdout == "shut down: True\n", done.stderr


def test_exporting_can_be_switched_off_against_the_environment() -> None:
    with collector() as sink:
        done = run(
            ONE_SPAN.format(settings={"exporter": "none"}, timeout=5), OTEL_EXPORTER_OTLP_ENDPOINT=sink.url
        )

    assert done.returncode == 0, done.stderr
    assert sink.paths == []


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
    provider = tracer_provider(TelemetrySettings(sample_ratio=0.0), Resource({}), Groups())
    tracer = provider.get_tracer("test")

    def sampled(traceparent: str | None) -> bool:
        parent = parse_traceparent(traceparent)
        context = None if parent is None else trace.set_span_in_context(NonRecordingSpan(parent))
        return tracer.start_span("work", context=context).is_recording()

    assert not sampled(None)
    assert sampled("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    assert not sampled("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")


def test_shutting_down_twice_does_the_work_once() -> None:
    calls: list[int] = []

    def close() -> bool:
        calls.append(1)
        return True

    telemetry = Telemetry({"spans": close})

    assert telemetry.shutdown()
    assert telemetry.shutdown()
    assert calls == [1]


def test_shutting_down_says_which_signals_were_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry({"spans": lambda: True, "metrics": lambda: False, "log records": lambda: False})

    assert not telemetry.shutdown(1.5)
    assert "metrics, log records: not all taken by the collector in the last 1.5 s" in caplog.text


EVERYTHING = """
import logging
from opentelemetry import metrics
from platform_lib.telemetry import TelemetrySettings, client_span, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(endpoint="{url}", logs="both"), service_name="p", version="1", environment="test"
)
counter = metrics.get_meter("shop").create_counter("orders")
for number in range({times}):
    counter.add(1)
    logging.getLogger("shop").info("order %d", number)
    with client_span("call"): pass
print("taken", telemetry.shutdown({timeout}), flush=True)
"""


def told(output: str) -> str:
    (line,) = [line for line in output.splitlines() if line.startswith("taken")]
    return line.removeprefix("taken ")


def test_all_three_signals_leave_before_the_process_ends_and_nothing_is_lost() -> None:
    with collector() as sink:
        done = run(EVERYTHING.format(url=sink.url, times=1500, timeout=20))

    assert told(done.stdout) == "True", done.stderr
    assert len(sink.spans) == 1500
    assert [metric.sum.data_points[0].as_int for metric in sink.metrics] == [1500]
    assert sorted(record.body.string_value for _, record in sink.logs) == sorted(
        f"order {number}" for number in range(1500)
    )
    # One process is one instance, whatever the signal.
    assert len({resource["service.instance.id"] for resource in sink.resources}) == 1


@pytest.mark.parametrize("dead", [nobody, silence])
def test_a_dead_collector_delays_the_end_of_all_signals_together_by_the_given_time_at_most(dead: Any) -> None:
    with dead() as url:  # whoever waited for the exporters would be killed, and fail
        done = run(EVERYTHING.format(url=url, times=700, timeout=0.5), OTEL_EXPORTER_OTLP_TIMEOUT="600")

    assert told(done.stdout) == "False", done.stderr
    assert "not all taken by the collector in the last 0.5 s" in done.stdout


def test_metrics_can_be_switched_off_alone() -> None:
    with collector() as sink:
        done = run(EVERYTHING.format(url=sink.url, times=3, timeout=20), OTEL_METRICS_EXPORTER="none")

    assert told(done.stdout) == "True", done.stderr
    assert {*sink.paths} == {"/v1/traces", "/v1/logs"}


def test_a_disabled_sdk_sends_nothing_and_starts_no_thread() -> None:
    with collector() as sink:
        done = run(
            EVERYTHING.format(url=sink.url, times=3, timeout=20)
            + "import threading; print([t.name for t in threading.enumerate()])",
            OTEL_SDK_DISABLED="TRUE",
        )

    assert told(done.stdout) == "True", done.stderr
    assert "['MainThread']" in done.stdout
    assert sink.paths == []


def test_a_configuration_file_of_opentelemetry_has_the_platform_step_aside_and_say_so() -> None:
    with collector() as sink:
        done = run(
            EVERYTHING.format(url=sink.url, times=1, timeout=20)
            + "print(type(metrics.get_meter_provider()).__name__)",
            OTEL_CONFIG_FILE="/etc/otel.yaml",
        )

    assert sink.paths == []
    assert "OTEL_CONFIG_FILE: set, so the platform sets up no provider" in done.stdout
    assert "_ProxyMeterProvider" in done.stdout


def test_a_meter_provider_that_is_already_set_is_used_and_nothing_is_sent_twice() -> None:
    with collector() as sink:
        done = run(f"""
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
theirs = MeterProvider([reader], shutdown_on_exit=False)
metrics.set_meter_provider(theirs)
import asyncio
from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(endpoint="{sink.url}"), service_name="p", version="1", environment="test"
)
assert metrics.get_meter_provider() is theirs
{ONE_REQUEST}
telemetry.shutdown(20)
(metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
print(metric.name, metric.data.data_points[0].count)
""")

    assert done.stdout.splitlines()[-1] == "http.server.request.duration 1", done.stdout + done.stderr
    assert sink.paths == ["/v1/traces"]


ONE_REQUEST = """
class Route: path_format = "/pay"
async def app(scope, receive, send):
    scope["route"] = Route
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})
async def receive(): return {"type": "http.request"}
async def send(message): pass
scope = {"type": "http", "method": "GET", "path": "/pay", "headers": []}
serve = ServerSpans(app)
asyncio.run(serve(dict(scope), receive, send))
"""


@pytest.mark.parametrize("listener", ["", "provider.add_span_processor(SpanProcessor())"])
def test_the_duration_of_a_request_leaves_exactly_once_with_the_platforms_provider(listener: str) -> None:
    # With a span processor of somebody else's, requests go through the API from then on.
    with collector() as sink:
        done = run(f"""
import asyncio
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import SpanProcessor
from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry
telemetry = start_telemetry(
    TelemetrySettings(endpoint="{sink.url}"), service_name="p", version="1", environment="test"
)
provider = trace.get_tracer_provider()
{ONE_REQUEST}
{listener}
asyncio.run(serve(dict(scope), receive, send))
metrics.get_meter("shop").create_up_down_counter("open").add(2)
assert telemetry.shutdown(20)
""")

    assert done.returncode == 0, done.stderr
    assert sink.paths.count("/v1/metrics") == 1
    assert sorted(metric.name for metric in sink.metrics) == ["http.server.request.duration", "open"]
    (duration,) = [metric for metric in sink.metrics if metric.unit == "s"]
    (point,) = duration.histogram.data_points
    assert point.count == 2
    assert len(sink.spans) == 2


def test_blank_variables_are_unset() -> None:
    names = (
        "OTEL_TRACES_EXPORTER",
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "OTEL_SERVICE_NAME",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_SDK_DISABLED",
        "OTEL_PROPAGATORS",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_TRACES_SAMPLER",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_CONFIG_FILE",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_LOGS_EXPORTER",
    )
    with collector() as sink:
        done = run(EVERYTHING.format(url=sink.url, times=1, timeout=20), **dict.fromkeys(names, " "))

    assert told(done.stdout) == "True", done.stdout + done.stderr
    assert {*sink.paths} == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    assert sink.resources[0]["service.name"] == "p"
