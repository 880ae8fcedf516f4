"""Metrics as data, and the instruments made of them: OpenTelemetry's own, with a guard over their attributes.

An instrument works before any provider is set and without one: then recording reaches nobody.
Source: OpenTelemetry specification 1.60, metrics API; units are UCUM.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MethodType
from typing import Literal, TypeAlias, TypeVar, cast

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation

from platform_lib._version import __version__
from platform_lib.telemetry._cardinality import Attributes, AttributeSets

_logger = logging.getLogger(__name__)

Kind = Literal["counter", "histogram", "observable counter", "observable gauge", "observable up-down counter"]

Read: TypeAlias = Callable[[], Iterable[Observation]]
"""What gives the present values of an observable metric, each with its attributes."""

Measured: TypeAlias = float
"""What is measured or counted; never money, whatever OpenTelemetry calls the parameter."""

DURATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of the buckets of a duration, in seconds, as the conventions advise for HTTP and messaging."""

SERVICE = "the service"
"""The source of a metric that a service declares for itself."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Metric:
    """One metric, declared once.

    Attributes:
        name: dotted, lower case.
        kind: which instrument records it.
        unit: as UCUM writes it: ``s``, ``By``, ``1``, or what is counted in braces.
        description: one sentence.
        source: who defined name and meaning: the semantic conventions, or the platform.
        stability: ``stable`` or ``development`` by the conventions, ``platform`` for our own.
        required: attributes that every measurement has.
        conditional: attributes that a measurement has where they apply.
        recommended: attributes that a measurement has where they are known.
        bounds: upper bounds of a histogram's buckets.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    source: str
    stability: Literal["stable", "development", "platform"]
    required: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    recommended: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The allow-list: no other attribute is ever recorded."""
        return self.required + self.conditional + self.recommended


_declared: dict[str, tuple[Metric, object]] = {}


def declared() -> Mapping[str, Metric]:
    """Return every metric declared in this process so far, by name."""
    return {name: metric for name, (metric, _) in sorted(_declared.items())}


def meter_of(metric: Metric) -> str:
    """Return the name of the meter that measures *metric*: the platform's, or a service's first word."""
    return metric.name.partition(".")[0] if metric.source == SERVICE else "platform_lib"


class CappedCounter(metrics.Counter):
    """An OpenTelemetry counter whose attributes are guarded."""

    def __init__(self, metric: Metric) -> None:
        self._sets = AttributeSets(metric.attributes)
        self._counter = _meter(metric).create_counter(metric.name, metric.unit, metric.description)

    def add(
        self,
        amount: Measured,
        attributes: Attributes | None = None,
        context: Context | None = None,
    ) -> None:
        """Count *amount*, which is not negative."""
        self._counter.add(amount, self._sets.admit(attributes), context)


class CappedHistogram(metrics.Histogram):
    """An OpenTelemetry histogram whose attributes are guarded."""

    def __init__(self, metric: Metric) -> None:
        self._sets = AttributeSets(metric.attributes)
        self._histogram = _meter(metric).create_histogram(
            metric.name,
            metric.unit,
            metric.description,
            explicit_bucket_boundaries_advisory=metric.bounds or None,
        )

    def record(
        self,
        amount: Measured,
        attributes: Attributes | None = None,
        context: Context | None = None,
    ) -> None:
        """Take note of one measurement, in the metric's unit."""
        self._histogram.record(amount, self._sets.admit(attributes), context)


class Observed:
    """A metric whose values are read when metrics are collected; what it tells of costs nothing meanwhile."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._reads: list[Callable[[], Read | None]] = []
        create = {
            "observable counter": _meter(metric).create_observable_counter,
            "observable gauge": _meter(metric).create_observable_gauge,
            "observable up-down counter": _meter(metric).create_observable_up_down_counter,
        }[metric.kind]
        create(metric.name, [self._observe], metric.unit, metric.description)

    def watch(self, read: Read) -> None:
        """Ask *read* at every collection; a bound method only for as long as its object lives."""
        self._reads.append(weakref.WeakMethod(read) if isinstance(read, MethodType) else lambda: read)

    def observations(self) -> Iterator[Observation]:
        """Yield what every source says now; of sources that say the same of themselves, one value.

        That is the sum; of a gauge it is the largest.
        """
        sets = AttributeSets(self.metric.attributes)  # of this collection: sources come and go
        values: dict[tuple[tuple[str, object], ...], tuple[float, Attributes]] = {}
        for reference in list(self._reads):
            read = reference()
            if read is None:
                with suppress(ValueError):  # another collection was quicker
                    self._reads.remove(reference)
                continue
            for observation in self._ask(read):
                admitted = sets.admit(observation.attributes)
                key = tuple(admitted.items())
                before = values.get(key)
                value = observation.value
                if before is not None:
                    gauge = self.metric.kind == "observable gauge"
                    value = max(before[0], value) if gauge else before[0] + value
                values[key] = value, admitted
        return iter([Observation(value, attributes) for value, attributes in values.values()])

    def _ask(self, read: Read) -> list[Observation]:
        try:
            return list(read())
        except Exception as error:  # noqa: BLE001  # one source's fault must not silence the others
            _logger.warning("%s: a source failed (%s)", self.metric.name, type(error).__name__)
            return []

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return self.observations()


def declare_counter(metric: Metric) -> CappedCounter:
    """Declare a counter; the same metric again gives the same instrument."""
    return _declare(metric, CappedCounter)


def declare_histogram(metric: Metric) -> CappedHistogram:
    """Declare a histogram; the same metric again gives the same instrument."""
    return _declare(metric, CappedHistogram)


def declare_observed(metric: Metric) -> Observed:
    """Declare an observable metric; the same metric again gives the same instrument."""
    return _declare(metric, Observed)


def _declare(metric: Metric, make: Callable[[Metric], Made]) -> Made:
    before = _declared.get(metric.name)
    if before is None:
        instrument = make(metric)
        _declared[metric.name] = metric, instrument
        return instrument
    if before[0] != metric:
        raise ValueError(
            f"{metric.name}: a metric of this name is declared already, as a {before[0].kind} "
            f"in {before[0].unit}; give each metric a name of its own"
        )
    return cast("Made", before[1])


def _meter(metric: Metric) -> metrics.Meter:
    name = meter_of(metric)
    return metrics.get_meter(name) if metric.source == SERVICE else metrics.get_meter(name, __version__)
