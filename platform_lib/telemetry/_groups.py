"""Requests of one kind: everything that is the same for all of them, made once, and how long they took.

The kinds are bounded: above the limit a request has bytes of its own and counts in one overflow series.
Source: OpenTelemetry semantic conventions 1.44, metric `http.server.request.duration`.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from struct import Struct

from opentelemetry.trace import SpanKind

from platform_lib.redaction import redact
from platform_lib.telemetry._encoding import constant_part
from platform_lib.telemetry._request import METHODS
from platform_lib.telemetry._wire import attributes, double, fixed64, message, number, text

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of the buckets, in seconds, as the conventions advise."""

LIMIT = 2000  # the limit of attribute sets a metric that the OpenTelemetry specification advises

_DELTA, _CUMULATIVE = 1, 2

Key = tuple[str, str | None, int | None, str, str, str | None, int]
"""Method as sent, route, status, scheme, protocol version, `error.type`, status code of the span."""


class Durations:
    """A histogram of one attribute set: plain integers, seconds."""

    __slots__ = ("_attributes", "_told", "counts", "maximum", "minimum", "total")

    def __init__(self, items: Mapping[str, object]) -> None:
        self._attributes = attributes(9, items.items())
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0
        self.minimum = float("inf")
        self.maximum = 0.0
        self._told: tuple[list[int], float] = [0] * len(self.counts), 0.0

    def record(self, seconds: float) -> None:
        """Count one request."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
        if seconds < self.minimum:  # noqa: PLR1730  # min() costs a call
            self.minimum = seconds
        if seconds > self.maximum:  # noqa: PLR1730  # the same
            self.maximum = seconds

    def data_point(self, start: int, now: int) -> bytes:
        """Return a `HistogramDataPoint` over *start* to *now*, Unix nanoseconds."""
        counts = list(self.counts)
        return (
            fixed64(2, start)
            + fixed64(3, now)
            + fixed64(4, sum(counts))
            + double(5, self.total)
            + message(6, _counts(*counts))
            + _bounds
            + self._attributes
            + double(11, self.minimum)
            + double(12, self.maximum)
        )

    def delta_point(self, start: int, now: int) -> bytes:
        """Return what came since this was called last; empty if nothing did.

        The smallest and the largest are known for all time only and are left out.
        """
        counts, total = list(self.counts), self.total
        (before, total_before), self._told = self._told, (counts, total)
        since = [count - told for count, told in zip(counts, before, strict=True)]
        if not any(since):
            return b""
        return (
            fixed64(2, start)
            + fixed64(3, now)
            + fixed64(4, sum(since))
            + double(5, total - total_before)
            + message(6, _counts(*since))
            + _bounds
            + self._attributes
        )


_counts = Struct(f"<{len(BOUNDS) + 1}Q").pack
_bounds = message(7, Struct(f"<{len(BOUNDS)}d").pack(*BOUNDS))


def attributes_of_duration(
    method: str, route: str | None, status: int | None, scheme: str, version: str, failure: str | None
) -> dict[str, str | int]:
    """Return the attributes of one measurement, and no other: this is the metric's allow-list."""
    known: dict[str, str | int] = {"http.request.method": method, "url.scheme": scheme}
    if route is not None:
        known["http.route"] = route
    if status is not None:
        known["http.response.status_code"] = status
    if failure is not None:
        known["error.type"] = failure
    known["network.protocol.version"] = version
    return known


class Group:
    """What the requests of one kind share.

    Attributes:
        attributes: those of the metric.
        constant: name, kind, status and the constant attributes of their spans, encoded.
        durations: their histogram.
        message: the text of their access lines as a JSON string.
        line: what their access lines say between the span's id and the duration, as JSON; empty where it
            differs with each, for want of a route.
        tail: what they say after it.
        head: what they say between the time and the trace's id, for *handler*.
        handler: whose lines *head* is for.
    """

    __slots__ = ("attributes", "constant", "durations", "handler", "head", "line", "message", "tail")

    def __init__(self, key: Key, durations: Durations | None = None) -> None:
        sent, route, status, scheme, version, failure, code = key
        known = sent in METHODS
        method, verb = (sent, sent) if known else ("_OTHER", "HTTP")
        self.attributes = attributes_of_duration(method, route, status, scheme, version, failure)
        self.durations = durations or Durations(self.attributes)
        items = dict[str, object](self.attributes)
        if not known:
            items["http.request.method_original"] = redact(sent[:32])
        self.constant = constant_part(
            verb if route is None else f"{verb} {route}", SpanKind.SERVER, code, items.items()
        )
        self.message = json.dumps(f"{verb} {route} {status}", ensure_ascii=False)
        fields = json.dumps(
            {"http.method": verb, "http.status": status, "duration_ms": 0}, ensure_ascii=False
        )
        self.line = f", {fields[1:-2]}" if route is not None else ""
        self.tail = f", {json.dumps({'http.route': route}, ensure_ascii=False)[1:]}\n"
        self.handler: object = None
        self.head = ""


class Groups:
    """The kinds of requests seen so far, and the metric over them.

    Attributes:
        known: the kinds by their keys.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.known: dict[Key, Group] = {}
        self._limit = limit
        self._series: dict[tuple[tuple[str, str | int], ...], Durations] = {}
        self._overflow = Durations({"otel.metric.overflow": True})

    def group(self, key: Key) -> Group:
        """Return the group of a kind that is not in `known`, and put it there while there is room."""
        if len(self.known) >= self._limit - 1:  # one series is the overflow's
            return Group(key, self._overflow)
        group = Group(key)
        # Kinds that differ only in what is no attribute of the metric share a series.
        group.durations = self._series.setdefault(tuple(group.attributes.items()), group.durations)
        return self.known.setdefault(key, group)

    def metric(self, start: int, now: int, *, delta: bool = False) -> bytes:
        """Return `http.server.request.duration` as a `Metric`; empty if nothing was served.

        Over all time, from *start*, or with *delta* over what came since *start*, when this was called last.
        """
        series = (*list(self._series.values()), self._overflow)
        if delta:
            points = [point for each in series if (point := each.delta_point(start, now))]
        else:
            points = [each.data_point(start, now) for each in series if any(each.counts)]
        if not points:
            return b""
        temporality = number(2, _DELTA if delta else _CUMULATIVE)
        histogram = b"".join(message(1, point) for point in points) + temporality
        return (
            text(1, "http.server.request.duration")
            + text(2, "Duration of HTTP server requests.")
            + text(3, "s")
            + message(9, histogram)
        )


def scope_metrics_of(scope: bytes, metric: bytes) -> bytes:
    """Return one metric of *scope* as a field of `ResourceMetrics`; empty if there is none."""
    return message(2, scope + message(2, metric)) if metric else b""
