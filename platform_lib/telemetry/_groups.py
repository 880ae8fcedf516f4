"""Requests of one kind: everything that is the same for all of them, made once, and how long they took.

The kinds are bounded: above the limit a request has bytes of its own and counts in one overflow series.
Source: OpenTelemetry semantic conventions 1.44, metric `http.server.request.duration`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from opentelemetry.trace import SpanKind

from platform_lib.redaction import redact
from platform_lib.telemetry._durations import Durations
from platform_lib.telemetry._encoding import constant_part
from platform_lib.telemetry._request import METHODS
from platform_lib.telemetry._wire import message, number, text

LIMIT = 2000  # the limit of attribute sets a metric that the OpenTelemetry specification advises

_MOST_UNCOUNTED = 256  # few are sorted sooner than many, and are still in the cache
_MOST_USUAL = 8  # of one route; a walk past more of them costs as much as making a key
_DELTA, _CUMULATIVE = 1, 2

Key = tuple[str, str | None, int | None, str, str, str | None, int]
"""Method as sent, route, status, scheme, protocol version, `error.type`, status code of the span."""


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
        key: the kind.
        attributes: those of the metric.
        constant: name, kind, status and the constant attributes of their spans, encoded.
        durations: their histogram.
        message: the text of their access lines as a JSON string.
        line: what their access lines say between the span's id and the duration, which is last, as JSON;
            empty where it differs with each, for want of a route.
        head: what they say between the time and the trace's id, for *handler*.
        handler: whose lines *head* is for.
        sent: the method of *key*.
        status: the status of *key*.
        scheme: the scheme of *key*.
        version: the protocol's version of *key*.
        other: another usual kind of the same route; `usual` of `Groups` has the first.
    """

    __slots__ = (
        "attributes",
        "constant",
        "durations",
        "handler",
        "head",
        "key",
        "line",
        "message",
        "other",
        "scheme",
        "sent",
        "status",
        "version",
    )

    def __init__(self, key: Key, durations: Durations | None = None) -> None:
        sent, route, status, scheme, version, failure, code = key
        self.key = key
        self.sent, self.status, self.scheme, self.version = sent, status, scheme, version
        self.other: Group | None = None
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
        fields = {"http.method": verb, "http.status": status, "http.route": route, "duration_ms": 0}
        line = json.dumps(fields, ensure_ascii=False)
        self.line = f'", {line[1:-2]}' if route is not None else ""
        self.handler: object = None
        self.head = ""


class Groups:
    """The kinds of requests seen so far, and the metric over them.

    Attributes:
        usual: by route, the first of its kinds without an error, which lead to each other. Most requests find
            theirs here, without a key to be made.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.usual: dict[str, Group] = {}
        self._limit = limit
        self._known: dict[Key, Group] = {}
        self._series: dict[tuple[tuple[str, str | int], ...], Durations] = {}
        self._overflow = Durations({"otel.metric.overflow": True})
        self._uncounted = 0

    def __iter__(self) -> Iterator[Group]:
        """Yield the kinds that were seen, but for those above the limit."""
        return iter(list(self._known.values()))

    def of(self, key: Key) -> Group:
        """Return the group of a kind, which is made while there is room."""
        group = self._known.get(key)
        if group is not None:
            return group
        if len(self._known) >= self._limit - 1:  # one series is the overflow's
            return Group(key, self._overflow)
        group = Group(key)
        # Kinds that differ only in what is no attribute of the metric share a series.
        group.durations = self._series.setdefault(tuple(group.attributes.items()), group.durations)
        sent, route, _, _, _, error, code = key
        # An empty route may stand for another. A caller may send any method, and no lookup may grow by that.
        if error is None and not code and route and sent in METHODS:
            self._use(group, route)
        return self._known.setdefault(key, group)

    def _use(self, group: Group, route: str) -> None:
        """Let *group* be found in `usual`, the last of the kinds of its route, if those are not too many."""
        last, kinds = self.usual.setdefault(route, group), 1
        while last.other is not None:
            last, kinds = last.other, kinds + 1
        if last is not group and kinds < _MOST_USUAL:
            last.other = group

    def measured(self, requests: int) -> None:
        """Take note that so many durations wait to be counted, which nobody may collect."""
        self._uncounted += requests
        if self._uncounted >= _MOST_UNCOUNTED:
            self._uncounted = 0
            for durations in (*list(self._series.values()), self._overflow):
                durations.count_if_idle()

    def metric(self, start: int, now: int, *, delta: bool = False) -> bytes:
        """Return `http.server.request.duration` as a `Metric`; empty if nothing was served.

        Over all time, from *start*, or with *delta* over what came since *start*, when this was called last.
        """
        series = (*list(self._series.values()), self._overflow)
        made = (each.delta_point(start, now) if delta else each.data_point(start, now) for each in series)
        points = [point for point in made if point]
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
