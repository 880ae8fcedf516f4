"""Metrics of a service's own: OpenTelemetry's instruments, with the guard that the platform's have."""

from __future__ import annotations

import re

from opentelemetry import metrics

from platform_lib.telemetry._instruments import (
    DURATION_BOUNDS,
    SERVICE,
    Kind,
    Metric,
    Read,
    declare_counter,
    declare_histogram,
    declare_observed,
)

_name = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def counter(name: str, *, unit: str, description: str, attributes: tuple[str, ...] = ()) -> metrics.Counter:
    """Make a counter of the service's own, with the guard that every metric of the platform has.

    It is OpenTelemetry's: ``refunds.add(1, {"reason": "duplicate"})``. *name* is dotted words such as
    ``payments.refunds``, whose first is the instrumentation scope. *unit* is UCUM, with what is counted in
    braces: ``{refund}``. Declare it once, where a module begins; the same again gives the same counter.

    Guarantee: an attribute that is not among *attributes* is dropped, texts are redacted, and beyond 2000
    attribute sets everything counts under ``otel.metric.overflow``.

    Raises:
        ValueError: *name* or *unit* cannot be one, or the name is taken by another metric.
    """
    return declare_counter(_own("counter", name, unit, description, attributes))


def histogram(
    name: str,
    *,
    unit: str,
    description: str,
    attributes: tuple[str, ...] = (),
    bounds: tuple[float, ...] = DURATION_BOUNDS,
) -> metrics.Histogram:
    """Make a histogram of the service's own: ``waits.record(0.2, {"queue": "slow"})``.

    *bounds* are the upper bounds of its buckets in *unit*; the default is for durations in seconds. The rest
    is as for `counter`.
    """
    return declare_histogram(_own("histogram", name, unit, description, attributes, bounds))


def gauge(name: str, read: Read, *, unit: str, description: str, attributes: tuple[str, ...] = ()) -> None:
    """Make a gauge of the service's own; *read* gives an OpenTelemetry `Observation` for each attribute set.

    It is called whenever metrics are collected, in whatever thread does that, so it only reads memory. A
    bound method is asked for as long as its object lives. The rest is as for `counter`.
    """
    declare_observed(_own("observable gauge", name, unit, description, attributes)).watch(read)


def _own(
    kind: Kind,
    name: str,
    unit: str,
    description: str,
    attributes: tuple[str, ...],
    bounds: tuple[float, ...] = (),
) -> Metric:
    if not _name.fullmatch(name):
        raise ValueError(
            f"{name!r} is no metric's name; write lower-case words with dots, as payments.refunds"
        )
    if not unit or not unit.isascii() or not unit.isprintable():
        raise ValueError(
            f"{name}: {unit!r} is no unit; write it as UCUM does, such as s, By, 1 or {{refund}}"
        )
    return Metric(
        name,
        kind,
        unit,
        description,
        source=SERVICE,
        stability="platform",
        recommended=tuple(attributes),
        bounds=tuple(bounds),
    )
