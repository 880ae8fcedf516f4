"""The reader that sends metrics: when, how often it tries, and what it says became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.metrics import Meter, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider

from platform_lib.telemetry._metric_reader import OtlpMetricReader, Produce
from platform_lib.telemetry._outlet import Deliver, Outcome
from tests.unit.telemetry.sink import becomes, collector, run


@contextmanager
def reading(
    deliver: Deliver, *, interval_seconds: float = 60, produce: Produce = lambda _: b"", **options: object
) -> Iterator[tuple[Meter, OtlpMetricReader]]:
    reader = OtlpMetricReader(
        b"",
        deliver,
        produce,
        interval_seconds=interval_seconds,
        timeout_seconds=5,
        **options,  # type: ignore[arg-type]
    )
    provider = MeterProvider([reader], shutdown_on_exit=False)
    reader.start(provider)
    try:
        yield provider.get_meter("shop"), reader
    finally:
        reader.close()


def kept(bodies: list[bytes], outcome: Callable[[], Outcome] = lambda: "taken") -> Deliver:
    def deliver(body: bytes) -> Outcome:
        bodies.append(body)
        return outcome()

    return deliver


def kinds(bodies: list[bytes]) -> list[tuple[str, str, int]]:
    """Return name, kind and temporality of every metric."""
    return [
        (metric.name, kind, getattr(metric, kind).aggregation_temporality)
        for body in bodies
        for of_resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
        for scope in of_resource.scope_metrics
        for metric in scope.metrics
        for kind in [metric.WhichOneof("data") or ""]
    ]


def test_metrics_leave_again_and_again() -> None:
    bodies: list[bytes] = []
    with reading(kept(bodies), interval_seconds=0.01) as (meter, _):
        meter.create_counter("orders").add(1)

        assert becomes(lambda: len(bodies) >= 3)


def test_the_last_measurement_leaves_when_it_closes() -> None:
    bodies: list[bytes] = []
    with reading(kept(bodies)) as (meter, reader):
        meter.create_counter("orders").add(1)

        assert reader.close()
    assert kinds(bodies) == [("orders", "sum", 2)]


def test_nothing_measured_is_nothing_sent_and_nothing_lost() -> None:
    bodies: list[bytes] = []
    with reading(kept(bodies)) as (_, reader):
        assert reader.close()
    assert bodies == []


def test_what_is_refused_was_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    bodies: list[bytes] = []
    with reading(kept(bodies, lambda: "refused")) as (meter, reader):
        meter.create_counter("orders").add(1)

        assert not reader.force_flush()
        assert len(bodies) == 1
    assert "metrics: not taken by the collector" in caplog.text


def test_what_may_be_taken_later_is_tried_again_within_the_time_limit() -> None:
    bodies: list[bytes] = []
    outcomes: list[Outcome] = ["later", "taken"]
    with reading(kept(bodies, lambda: outcomes.pop(0) if outcomes else "taken")) as (meter, reader):
        meter.create_counter("orders").add(1)

        assert reader.force_flush()
        assert len(bodies) == 2


def test_what_fails_to_be_collected_is_told_and_the_next_time_is_not_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = [True]

    def produce(_: bool) -> bytes:  # noqa: FBT001  # the reader's own form
        if failures:
            failures.pop()
            raise RuntimeError("once")
        return b""

    bodies: list[bytes] = []
    with reading(kept(bodies), produce=produce) as (meter, reader):
        meter.create_counter("orders").add(1)

        assert not reader.force_flush()
        assert reader.force_flush()
    assert "metrics: could not be collected" in caplog.text
    assert len(bodies) == 2  # and once more when it closed


@pytest.mark.parametrize(
    ("temporality", "counter", "up_down", "observable"),
    [("cumulative", 2, 2, 2), ("delta", 1, 2, 1), ("lowmemory", 1, 2, 2)],
)
def test_the_preferred_temporality_holds_for_the_kinds_that_the_specification_names(
    temporality: str, counter: int, up_down: int, observable: int
) -> None:

    bodies: list[bytes] = []
    with reading(kept(bodies), temporality=temporality, exponential=True) as (meter, reader):
        meter.create_counter("c").add(1)
        meter.create_up_down_counter("u").add(1)
        meter.create_observable_counter("o", [lambda _: [Observation(1)]])
        meter.create_histogram("h").record(1)
        reader.force_flush()
        found = {name: (kind, value) for name, kind, value in kinds(bodies[:1])}

    assert found == {
        "c": ("sum", counter),
        "u": ("sum", up_down),
        "o": ("sum", observable),
        "h": ("exponential_histogram", counter),
    }


def test_deltas_of_the_duration_of_requests_follow_on_each_other() -> None:
    with collector() as sink:
        done = run(
            f"""
import asyncio
from opentelemetry import metrics
from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry
from platform_lib.telemetry._endings import settle_all
telemetry = start_telemetry(
    TelemetrySettings(endpoint="{sink.url}"), service_name="p", version="1", environment="test"
)
class Route: path_format = "/pay"
async def app(scope, receive, send):
    scope["route"] = Route
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body"}})
async def receive(): return {{"type": "http.request"}}
async def send(message): pass
served = ServerSpans(app)
for number in range(3):
    for request in range(number + 1):
        asyncio.run(served({{"type": "http", "method": "GET", "path": "/", "headers": []}}, receive, send))
    settle_all()
    metrics.get_meter_provider().force_flush()
print(telemetry.shutdown(20))
""",
            OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta",
        )

    assert done.stdout.endswith("True\n"), done.stderr
    points = [metric.histogram.data_points[0] for metric in sink.metrics]
    assert [point.count for point in points] == [1, 2, 3]
    assert [point.start_time_unix_nano for point in points[1:]] == [
        point.time_unix_nano for point in points[:-1]
    ]
