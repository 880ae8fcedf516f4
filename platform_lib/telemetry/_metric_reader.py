"""Metrics leave the process: what the SDK's instruments hold and what the platform counts itself, together.

Source: OpenTelemetry specification 1.60, metrics SDK, "Periodic exporting MetricReader"; OTLP exporter,
`OTEL_EXPORTER_OTLP_METRICS_*`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricReader
from opentelemetry.sdk.metrics.view import Aggregation, ExponentialBucketHistogramAggregation

from platform_lib.telemetry._fork import warn_of_a_child
from platform_lib.telemetry._metric_encoding import scope_metrics
from platform_lib.telemetry._outlet import PAUSES_SECONDS, Deliver, send
from platform_lib.telemetry._wire import message

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

_DELTA = AggregationTemporality.DELTA
_PREFERENCES: dict[str, dict[type, AggregationTemporality]] = {
    "cumulative": {},
    "delta": {Counter: _DELTA, ObservableCounter: _DELTA, Histogram: _DELTA},
    "lowmemory": {Counter: _DELTA, Histogram: _DELTA},
}

Produce = Callable[[bool], bytes]
"""Gives a `ScopeMetrics` of what is counted outside the SDK, as a delta or not; empty if nothing is."""

_logger = logging.getLogger("platform_lib.telemetry")


class OtlpMetricReader(MetricReader):
    """Collects every *interval_seconds* and sends to a collector, from a thread of its own.

    It differs from the SDK's periodic reader in three ways: it asks *produce* for what the platform counts as
    plain integers, it knows whether the collector took the last export, and a forked child sends nothing (the
    SDK's would send its parent's sums a second time).
    """

    def __init__(
        self,
        resource: bytes,
        deliver: Deliver,
        produce: Produce,
        *,
        interval_seconds: float,
        timeout_seconds: float,
        temporality: str = "cumulative",
        exponential: bool = False,
    ) -> None:
        aggregation: dict[type, Aggregation] = (
            {Histogram: ExponentialBucketHistogramAggregation()} if exponential else {}
        )
        super().__init__(preferred_temporality=_PREFERENCES[temporality], preferred_aggregation=aggregation)
        self._resource = resource
        self._deliver = deliver
        self._produce = produce
        self._interval = interval_seconds
        self._timeout = timeout_seconds
        self._delta = temporality != "cumulative"
        self._provider: MeterProvider | None = None
        self._collected = b""
        self._one_at_a_time = threading.Lock()
        self._closing = threading.Event()
        self._last_taken = True
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="telemetry-metrics", daemon=True
        )

    def start(self, provider: MeterProvider) -> None:
        """Begin to read *provider*, which this reader is registered on."""
        self._provider = provider
        assert self._thread is not None  # noqa: S101  # made in the constructor
        self._thread.start()

    def close(self) -> bool:
        """Collect and send once more and end the thread; gives whether the collector took it."""
        thread = self._thread
        if thread is None:
            return False
        self._closing.set()
        thread.join()
        return self._last_taken

    def shutdown(self, timeout_millis: float = 30_000, **_: object) -> None:
        """Send once more and end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_millis / 1000)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collect and send now; gives whether the collector took it."""
        self._export(timeout_millis / 1000)
        return self._last_taken

    def forked(self) -> None:
        """Stop, in a child that was forked: the sums are its parent's."""
        self._thread = None
        self._closing, self._one_at_a_time = threading.Event(), threading.Lock()
        # What every instrument hands its measurements to; the SDK has no public place to learn of one.
        consumer = getattr(self._provider, "_measurement_consumer", None)
        if consumer is not None:

            def say_once(*_: object) -> None:
                consumer.consume_measurement = _ignore
                warn_of_a_child("metrics")

            consumer.consume_measurement = say_once

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: object
    ) -> None:
        del timeout_millis
        self._collected = scope_metrics(metrics_data)

    def _run(self) -> None:
        while not self._closing.wait(self._interval):
            self._export(self._timeout)
        self._export(self._timeout)

    def _export(self, timeout_seconds: float) -> None:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))  # noqa: FBT003  # the context's own form
        try:
            with self._one_at_a_time:
                self._send(timeout_seconds)
        except Exception:
            self._last_taken = False
            _logger.exception("metrics: could not be collected, and are tried again after the interval")
        finally:
            detach(token)

    def _send(self, timeout_seconds: float) -> None:
        self._collected = b""
        self.collect(timeout_millis=timeout_seconds * 1000)
        content = self._collected + self._produce(self._delta)
        if not content:
            self._last_taken = True
            return
        deadline = time.monotonic() + timeout_seconds
        pauses = tuple(pause for pause in PAUSES_SECONDS if time.monotonic() + pause < deadline)
        self._last_taken = send(self._deliver, message(1, self._resource + content), pauses, self._closing)
        if not self._last_taken:
            _logger.warning(
                "metrics: not taken by the collector%s; see that it runs and its endpoint",
                ", and what they counted since the last time is lost" if self._delta else "",
            )


def _ignore(*_: object) -> None:
    """Take a measurement that goes nowhere."""
