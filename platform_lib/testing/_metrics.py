"""What the code under test measured, as a fixture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.metrics.export import Metric as MetricData

_Key = tuple[str, tuple[tuple[str, str], ...]]
"""The meter's name, and the attributes: an instrumentation beside ours may measure what we measure."""


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured under one attribute set.

    Attributes:
        attributes: the set.
        value: of a counter, what was added; of a histogram, the sum of its measurements; of a gauge, what it
            says now.
        count: of a histogram, how many measurements there were; 0 of anything else.
        grows: whether it counts from the beginning of the test; if not, it is what is so now.
        texts: whatever else leaves the process with it: exemplars, scope and resource.
    """

    attributes: Mapping[str, object]
    value: float
    count: int = 0
    grows: bool = True
    texts: tuple[str, ...] = ()


class CapturedMetrics:
    """What was measured since the test began, through any instrument of OpenTelemetry's API."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader
        self._before: dict[str, dict[_Key, Series]] = {}
        self.clear()

    def names(self) -> list[str]:
        """Return the names of the metrics that have a value, sorted."""
        return sorted(name for name, series in self._since().items() if series)

    def series(self, name: str, attributes: Mapping[str, object] | None = None) -> list[Series]:
        """Return the series of the metric *name* whose attributes include *attributes*."""
        wanted = (attributes or {}).items()
        return [each for each in self._since().get(name, []) if wanted <= each.attributes.items()]

    def value(self, name: str, attributes: Mapping[str, object] | None = None) -> float:
        """Return the values of those series together; 0 if there is none (see `Series`)."""
        return sum(each.value for each in self.series(name, attributes))

    def count(self, name: str, attributes: Mapping[str, object] | None = None) -> int:
        """Return how many measurements the histogram *name* has in those series together."""
        return sum(each.count for each in self.series(name, attributes))

    def text(self) -> str:
        """Return a line for each series, by name; to be read, and searched."""
        return "\n".join(
            f"{name}{dict(each.attributes)} {f'{each.count} x, sum ' if each.count else ''}{each.value:g}"
            for name, series in sorted(self._since().items())
            for each in series
        )

    def clear(self) -> None:
        """Forget what was measured so far."""
        self._before = self._now()

    def __iter__(self) -> Iterator[tuple[str, Series]]:
        """Iterate over every series with its metric's name."""
        return ((name, each) for name, series in sorted(self._since().items()) for each in series)

    def _since(self) -> dict[str, list[Series]]:
        since: dict[str, list[Series]] = {}
        for name, series in self._now().items():
            for key, now in series.items():
                then = self._before.get(name, {}).get(key)
                if then is None or not now.grows:
                    since.setdefault(name, []).append(now)
                elif (now.value, now.count) != (then.value, then.count):
                    change = replace(now, value=now.value - then.value, count=now.count - then.count)
                    since.setdefault(name, []).append(change)
        return since

    def _now(self) -> dict[str, dict[_Key, Series]]:
        from platform_lib.telemetry._endings import settle_all  # noqa: PLC0415  # few tests look at metrics

        settle_all()  # requests are measured a moment after they end
        found: dict[str, dict[_Key, Series]] = {}
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                outer = tuple(
                    map(repr, (scope.scope.name, scope.scope.attributes, resource.resource.attributes))
                )
                for metric in scope.metrics:
                    found.setdefault(metric.name, {}).update(_series(metric, scope.scope.name, outer))
        return found


def _series(metric: MetricData, meter: str, outer: tuple[str, ...]) -> Iterator[tuple[_Key, Series]]:
    from opentelemetry.sdk.metrics.export import NumberDataPoint  # noqa: PLC0415  # as below

    from platform_lib.telemetry._instruments import declared, meter_of  # noqa: PLC0415  # as above

    ours = declared().get(metric.name)
    kind = ours.kind if ours is not None and meter_of(ours) == meter else ""
    is_gauge = not hasattr(metric.data, "aggregation_temporality")
    grows = not is_gauge and kind != "observable up-down counter"
    for point in metric.data.data_points:
        attributes = dict(point.attributes or {})
        key = meter, tuple(sorted((name, repr(value)) for name, value in attributes.items()))
        exemplars = tuple(repr(exemplar.filtered_attributes) for exemplar in point.exemplars or ())
        texts = (metric.unit or "", metric.description or "", *exemplars, *outer)
        if isinstance(point, NumberDataPoint):
            yield key, Series(attributes, point.value, 0, grows, texts)
        else:
            yield key, Series(attributes, point.sum, point.count, grows, texts)


_reader: InMemoryMetricReader | None = None


@contextmanager
def capture_metrics() -> Iterator[CapturedMetrics]:
    """Capture what is measured in this process meanwhile.

    Where the process has no meter provider yet, one that exports nowhere is set; OpenTelemetry allows that
    once, so it stays. To another's provider a reader is added.
    """
    global _reader  # noqa: PLW0603  # as global as the provider it is attached to
    if _reader is None:
        _reader = _attach()
    yield CapturedMetrics(_reader)


def _attach() -> InMemoryMetricReader:
    from opentelemetry import metrics  # noqa: PLC0415  # the SDK is loaded only by tests that look at metrics
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415  # the same
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415  # the same

    reader = InMemoryMetricReader()
    provider = metrics.get_meter_provider()
    if isinstance(provider, MeterProvider):
        provider.add_metric_reader(reader)
    else:
        metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    return reader
