"""Metrics that the SDK collected, as OTLP bytes; to load protobuf's classes would cost a tenth of a second.

Source: opentelemetry/proto/metrics/v1/metrics.proto; the fields are those that the SDK's own exporter sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    NumberDataPoint,
    Sum,
)

from platform_lib.telemetry._encoding import scope_part
from platform_lib.telemetry._wire import attributes, double, fixed64, message, number, text, varint

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import Exemplar
    from opentelemetry.sdk.metrics._internal.point import Buckets  # exported nowhere else
    from opentelemetry.sdk.metrics.export import Metric, MetricsData

_SIGNED = 1 << 64


def scope_metrics(data: MetricsData) -> bytes:
    """Return *data* as fields of `ResourceMetrics`, without the resource."""
    return b"".join(
        message(
            2, scope_part(scope.scope) + b"".join(message(2, _metric(metric)) for metric in scope.metrics)
        )
        for of_resource in data.resource_metrics
        for scope in of_resource.scope_metrics
    )


def _metric(metric: Metric) -> bytes:
    head = text(1, metric.name) + text(2, metric.description or "") + text(3, metric.unit or "")
    data = metric.data
    match data:
        case Gauge():
            return head + message(5, _points(map(_number_point, data.data_points)))
        case Sum():
            shape = number(2, data.aggregation_temporality.value) + number(3, int(data.is_monotonic))
            return head + message(7, _points(map(_number_point, data.data_points)) + shape)
        case Histogram():
            shape = number(2, data.aggregation_temporality.value)
            return head + message(9, _points(map(_histogram_point, data.data_points)) + shape)
        case ExponentialHistogram():
            shape = number(2, data.aggregation_temporality.value)
            return head + message(10, _points(map(_exponential_point, data.data_points)) + shape)


def _points(points: Iterable[bytes]) -> bytes:
    return b"".join(message(1, point) for point in points)


def _number_point(point: NumberDataPoint) -> bytes:
    return (
        _times(point.start_time_unix_nano, point.time_unix_nano)
        + _value(4, 6, point.value)
        + _exemplars(5, point.exemplars)
        + attributes(7, (point.attributes or {}).items())
    )


def _histogram_point(point: HistogramDataPoint) -> bytes:
    return (
        _times(point.start_time_unix_nano, point.time_unix_nano)
        + _count(4, point.count)
        + double(5, point.sum)
        + _packed("Q", 6, point.bucket_counts)
        + _packed("d", 7, point.explicit_bounds)
        + _exemplars(8, point.exemplars)
        + attributes(9, (point.attributes or {}).items())
        + double(11, point.min)
        + double(12, point.max)
    )


def _exponential_point(point: ExponentialHistogramDataPoint) -> bytes:
    return (
        attributes(1, (point.attributes or {}).items())
        + _times(point.start_time_unix_nano, point.time_unix_nano)
        + _count(4, point.count)
        + double(5, point.sum)
        + _zigzag(6, point.scale)
        + _count(7, point.zero_count)
        + _buckets(8, point.positive)
        + _buckets(9, point.negative)
        + number(10, point.flags)
        + _exemplars(11, point.exemplars)
        + double(12, point.min)
        + double(13, point.max)
    )


def _buckets(field: int, buckets: Buckets) -> bytes:
    if not buckets.bucket_counts:
        return b""
    counts = b"".join(map(varint, buckets.bucket_counts))
    return message(field, _zigzag(1, buckets.offset) + message(2, counts))


def _exemplars(field: int, exemplars: Iterable[Exemplar]) -> bytes:
    encoded = b""
    for exemplar in exemplars:
        content = fixed64(2, exemplar.time_unix_nano) + _value(3, 6, exemplar.value)
        if exemplar.span_id is not None and exemplar.trace_id is not None:
            content += message(4, exemplar.span_id.to_bytes(8, "big"))
            content += message(5, exemplar.trace_id.to_bytes(16, "big"))
        encoded += message(field, content + attributes(7, (exemplar.filtered_attributes or {}).items()))
    return encoded


def _value(double_field: int, integer_field: int, value: float) -> bytes:
    if isinstance(value, int):
        return fixed64(integer_field, value % _SIGNED)  # sfixed64: the two's complement
    return double(double_field, value)


def _times(start: int | None, now: int) -> bytes:
    return (fixed64(2, start) if start else b"") + fixed64(3, now)


def _count(field: int, count: int) -> bytes:
    return fixed64(field, count) if count else b""


def _packed(kind: str, field: int, numbers: Iterable[float]) -> bytes:
    kept = tuple(numbers)
    return message(field, pack(f"<{len(kept)}{kind}", *kept)) if kept else b""


def _zigzag(field: int, value: int) -> bytes:
    return number(field, value * 2 if value >= 0 else -value * 2 - 1)
