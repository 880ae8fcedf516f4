"""The operator's `OTEL_*` variables: what they decide, and that what cannot be obeyed is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

from platform_lib.errors import ConfigError
from platform_lib.telemetry import TelemetrySettings, client_span
from platform_lib.telemetry._context import inbound_context, outbound_headers
from platform_lib.telemetry._plan import Plan, Queue, plan
from platform_lib.telemetry._propagators import propagators
from platform_lib.telemetry._resource import resource
from platform_lib.testing import CapturedSpans

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def made(settings: dict[str, object] | None = None, **environ: str) -> Plan:
    return plan(TelemetrySettings.model_validate(settings or {}), environ)


def refused(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        made({"endpoint": "http://c:4318", "logs": "both"}, **environ)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "environ", "traces", "metrics"),
    [
        ({}, {}, False, False),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False, False),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True, True),
        ({}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True, False),
        ({}, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, False, True),
        ({"endpoint": "http://c:4318"}, {}, True, True),
        ({"exporter": "none", "endpoint": "http://c:4318"}, {}, False, False),
        ({"exporter": "none"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False, False),
        ({"exporter": "otlp"}, {}, True, True),
        ({"exporter": "otlp"}, {"OTEL_TRACES_EXPORTER": "none"}, False, True),
        ({"exporter": "otlp"}, {"OTEL_METRICS_EXPORTER": "none"}, True, False),
        ({"exporter": "none"}, {"OTEL_TRACES_EXPORTER": "otlp"}, True, False),
        ({}, {"OTEL_METRICS_EXPORTER": " OTLP "}, False, True),
    ],
)
def test_a_signal_leaves_where_the_operator_or_the_settings_send_it(
    settings: dict[str, object],
    environ: dict[str, str],
    traces: bool,  # noqa: FBT001  # columns of the table above
    metrics: bool,  # noqa: FBT001
) -> None:
    planned = made(settings, **environ)

    assert (planned.traces is not None, planned.metrics is not None) == (traces, metrics)


@pytest.mark.parametrize(
    ("setting", "environ", "standard_output", "otlp"),
    [
        ("stdout", {}, True, False),
        ("otlp", {}, False, True),
        ("both", {}, True, True),
        ("stdout", {"OTEL_LOGS_EXPORTER": "otlp"}, True, True),
        ("otlp", {"OTEL_LOGS_EXPORTER": "none"}, True, False),  # a service without any logs helps nobody
        ("both", {"OTEL_LOGS_EXPORTER": "console"}, True, False),
        ("otlp", {"OTEL_LOGS_EXPORTER": "console,otlp"}, True, True),
    ],
)
def test_logs_go_to_standard_output_by_otlp_or_both(
    setting: str,
    environ: dict[str, str],
    standard_output: bool,  # noqa: FBT001  # columns of the table above
    otlp: bool,  # noqa: FBT001
) -> None:
    planned = made({"logs": setting}, **environ)

    assert (planned.standard_output, planned.logs is not None) == (standard_output, otlp)


@pytest.mark.parametrize(
    ("settings", "environ", "urls"),
    [
        ({"endpoint": "http://set:1/"}, {}, ("http://set:1/v1/traces", "http://set:1/v1/metrics")),
        ({"endpoint": "http://set:1/v1/traces"}, {}, ("http://set:1/v1/traces", "http://set:1/v1/metrics")),
        (
            {"endpoint": "http://set:1"},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://op:2/base/"},
            ("https://op:2/base/v1/traces", "https://op:2/base/v1/metrics"),
        ),
        (
            {},
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://op:2",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:3/as-is",
            },
            ("http://t:3/as-is", "http://op:2/v1/metrics"),
        ),
    ],
)
def test_the_operators_endpoint_wins_and_that_of_a_signal_is_taken_as_it_is(
    settings: dict[str, object], environ: dict[str, str], urls: tuple[str, str]
) -> None:
    planned = made(settings, **environ)

    assert planned.traces is not None
    assert planned.metrics is not None
    assert (planned.traces.url, planned.metrics.url) == urls


def test_the_variable_of_a_signal_wins_over_the_general_one() -> None:
    planned = made(
        {"endpoint": "http://c:4318"},
        OTEL_EXPORTER_OTLP_TIMEOUT="5",
        OTEL_EXPORTER_OTLP_METRICS_TIMEOUT="7.5",
        OTEL_EXPORTER_OTLP_HEADERS="api-key=general",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS="api-key=own",
        OTEL_EXPORTER_OTLP_COMPRESSION="none",
    )

    assert planned.traces is not None
    assert planned.metrics is not None
    assert (planned.traces.timeout_seconds, planned.metrics.timeout_seconds) == (5, 7.5)
    assert (planned.traces.headers, planned.metrics.headers) == ({"api-key": "own"}, {"api-key": "general"})
    assert not planned.traces.compress
    assert "own" not in repr(planned)


def test_what_waits_and_how_often_metrics_leave_can_be_set() -> None:
    planned = made(
        OTEL_BSP_SCHEDULE_DELAY="1000",
        OTEL_BSP_MAX_QUEUE_SIZE="100",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE="200",
        OTEL_BLRP_SCHEDULE_DELAY="500",
        OTEL_METRIC_EXPORT_INTERVAL="15000",
        OTEL_METRIC_EXPORT_TIMEOUT="4000",
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="DELTA",
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION="base2_exponential_bucket_histogram",
        OTEL_METRICS_EXEMPLAR_FILTER="always_off",
    )

    assert planned.spans_queue == Queue(delay_seconds=1, capacity=100, batch=100)
    assert planned.logs_queue == Queue(delay_seconds=0.5)
    assert (planned.metrics_interval_seconds, planned.metrics_timeout_seconds) == (15, 4)
    assert (planned.temporality, planned.exponential, planned.exemplars) == ("delta", True, "always_off")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "10000 seconds looks like milliseconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "give seconds, such as 10; at most 600"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "601", "looks like milliseconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "'soon' is no time"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan", "'nan' is no time"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", "'-1' is no time"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "set http/protobuf and the collector's port for it, mostly 4318",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json", "'http/json' is not spoken here"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "'zipkin' is not supported here"),
        ("OTEL_METRICS_EXPORTER", "otlp,prometheus", "'prometheus' is not supported here"),
        ("OTEL_LOGS_EXPORTER", "file", "'file' is not supported here"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "set gzip or none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318", "'c:4318' is no URL of a collector"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:port", "is no URL of a collector"),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/nowhere.pem",
            "'/nowhere.pem' cannot be used (FileNotFoundError)",
        ),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "'0' is no interval"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "'many' is no size"),
        ("OTEL_PROPAGATORS", "tracecontext,b3", "'b3' is not supported here"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "sometimes", "set one of trace_based, always_on, always_off"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "both", "'both' is not supported here"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_with_the_variable_and_what_to_do(
    name: str, value: str, words: str
) -> None:
    endpoint = {} if name.endswith("ENDPOINT") else {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c:4318"}

    report = refused(**endpoint, **{name: value})

    assert f"  {name}: " in report
    assert words in report


def test_every_mistake_is_told_at_once_and_no_secret_with_it() -> None:
    report = refused(
        OTEL_TRACES_EXPORTER="jaeger",
        OTEL_EXPORTER_OTLP_TIMEOUT="10000",
        OTEL_EXPORTER_OTLP_ENDPOINT="ftp://user:hunter2@c/",
    )

    assert report.startswith("telemetry: the configuration cannot be used, 3 mistakes:")
    assert "hunter2" not in report


def test_a_disabled_sdk_asks_for_nothing_else() -> None:
    assert made(OTEL_SDK_DISABLED="true", OTEL_EXPORTER_OTLP_PROTOCOL="grpc") == Plan(disabled=True)
    assert not made(OTEL_SDK_DISABLED="1").disabled  # by the specification only the word counts


def test_a_readable_certificate_is_used(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")

    assert "cannot be used (SSLError)" in refused(
        OTEL_EXPORTER_OTLP_ENDPOINT="https://c:4318", OTEL_EXPORTER_OTLP_CERTIFICATE=str(broken)
    )


def test_the_resource_names_service_place_and_pod_and_the_operator_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=9,service.instance.id=seven,team=pay")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    pod = {
        "K8S_POD_NAME": "payments-7",
        "K8S_NAMESPACE_NAME": "shop",
        "K8S_POD_UID": "",
        "K8S_DEPLOYMENT_NAME": "p",
    }

    found = dict(
        resource(
            service_name="ours", version="1", environment="test", namespace="money", environ=pod
        ).attributes
    )

    assert {name: value for name, value in found.items() if not name.startswith("telemetry.")} == {
        "service.name": "theirs",
        "service.version": "9",
        "service.instance.id": "seven",
        "service.namespace": "money",
        "deployment.environment.name": "test",
        "team": "pay",
        "k8s.pod.name": "payments-7",
        "k8s.namespace.name": "shop",
        "k8s.deployment.name": "p",
    }


@pytest.mark.parametrize(
    ("value", "outbound", "continued", "carried"),
    [
        (None, {"traceparent", "baggage"}, True, True),
        (" ", {"traceparent", "baggage"}, True, True),
        ("TraceContext", {"traceparent"}, True, False),
        ("baggage", {"baggage"}, False, True),
        ("none", set(), False, False),
    ],
)
def test_propagators_are_the_operators_choice(  # columns of the table above
    value: str | None,
    outbound: set[str],
    continued: bool,  # noqa: FBT001
    carried: bool,  # noqa: FBT001
    spans: CapturedSpans,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_PROPAGATORS", raising=False)
    if value is not None:
        monkeypatch.setenv("OTEL_PROPAGATORS", value)
    propagators.cache_clear()
    try:
        token = otel_context.attach(baggage.set_baggage("tenant", "shop"))
        with client_span("call"):
            assert {*outbound_headers()} == outbound
        otel_context.detach(token)

        context = inbound_context(TRACEPARENT, None, "tenant=shop")
        assert trace.get_current_span(context).get_span_context().is_valid is continued
        assert (baggage.get_baggage("tenant", context) == "shop") is carried
    finally:
        propagators.cache_clear()
    assert len(spans) == 1
