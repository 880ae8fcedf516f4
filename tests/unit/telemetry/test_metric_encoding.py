"""Metrics that the SDK collected, as bytes: the same as the SDK's own encoder makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricsData
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from platform_lib.telemetry._encoding import resource_part
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._metric_encoding import scope_metrics
from platform_lib.telemetry._wire import message

RESOURCE = Resource({"service.name": "payments"})


def collected(*, exponential: bool) -> MetricsData:
    """Return what the SDK holds after every kind of instrument measured something."""
    reader = InMemoryMetricReader(
        preferred_temporality={Histogram: AggregationTemporality.DELTA},
        preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()} if exponential else {},
    )
    provider = MeterProvider([reader], RESOURCE, AlwaysOnExemplarFilter(), shutdown_on_exit=False)
    meter = provider.get_meter("shop", "1.2", "https://schema.test/1", {"a": "b"})

    def seen(_: CallbackOptions) -> list[Observation]:
        return [Observation(-3, {"pool": "main"}), Observation(0.5, {"pool": "other", "n": 1, "on": True})]

    with TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s"):
        meter.create_counter("orders", "1", "Orders.").add(3, {"currency": "EUR"})
        meter.create_up_down_counter("open").add(-2)
        meter.create_gauge("level").set(0.25)
        histogram = meter.create_histogram("duration", "s")
        for value in (0.001, 0.2, 7, 0, -3.5, 100000):
            histogram.record(value, {"tags": ["a", "b"]})
    meter.create_observable_gauge("idle", [seen])
    meter.create_observable_counter("cpu", [seen])
    provider.get_meter("other").create_counter("big").add(2**40)
    data = reader.get_metrics_data()
    assert data is not None
    return data


@pytest.mark.parametrize("exponential", [False, True])
def test_every_kind_of_metric_is_encoded_as_the_sdk_would(exponential: bool) -> None:  # noqa: FBT001  # a parameter
    data = collected(exponential=exponential)

    ours = ExportMetricsServiceRequest.FromString(message(1, resource_part(RESOURCE) + scope_metrics(data)))

    assert ours == encode_metrics(data)
    assert "exemplars" in str(ours)


def points(metric: bytes) -> list[Any]:
    request = ExportMetricsServiceRequest.FromString(message(1, message(2, message(2, metric))))
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    return [
        (metrics[0].histogram.aggregation_temporality, point) for point in metrics[0].histogram.data_points
    ]


def test_the_duration_of_requests_can_be_a_delta() -> None:
    groups = Groups()
    durations = groups.of(("GET", "/pay", 200, "http", "1.1", None, 0)).durations
    durations.waiting.append(100_000_000)
    ((temporality, first),) = points(groups.metric(1, 2, delta=True))
    durations.waiting += [200_000_000, 300_000_000]
    ((_, second),) = points(groups.metric(2, 3, delta=True))

    assert temporality == 1
    assert (first.count, first.start_time_unix_nano, first.time_unix_nano) == (1, 1, 2)
    assert (second.count, second.start_time_unix_nano) == (2, 2)
    assert second.sum == pytest.approx(0.5)
    assert sum(second.bucket_counts) == 2
    assert groups.metric(3, 4, delta=True) == b""


def test_requests_that_differ_in_no_attribute_are_one_series() -> None:
    groups = Groups()
    for method, code in (("GET", 0), ("GET", 1), ("BREW", 0), ("WHEN", 0)):
        groups.of((method, "/pay", 200, "http", "1.1", None, code)).durations.waiting.append(100_000_000)

    assert [point.count for _, point in points(groups.metric(1, 2))] == [2, 2]
