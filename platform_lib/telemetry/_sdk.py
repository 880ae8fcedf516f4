"""The OpenTelemetry SDK set up for a service; imported only when telemetry starts."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

from platform_lib.telemetry._collector import deliver_to
from platform_lib.telemetry._endings import settle_all
from platform_lib.telemetry._groups import Groups, scope_metrics_of
from platform_lib.telemetry._pipeline import OUR_SCOPE, OutletProcessor
from platform_lib.telemetry._recorder import Recorder, retire

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.metrics import ExemplarFilter, MeterProvider
    from opentelemetry.sdk.resources import Resource

    from platform_lib.telemetry._metric_reader import OtlpMetricReader
    from platform_lib.telemetry._outlet import Outlet
    from platform_lib.telemetry._plan import Destination, Plan
    from platform_lib.telemetry._settings import TelemetrySettings

_RATIO_ONE = 1 << 64


class ServiceTracerProvider(TracerProvider):
    """The SDK's provider, which knows whether anyone but the platform listens to its spans.

    Attributes:
        recorder: records server spans in the SDK's stead until somebody adds a processor of theirs; None
            where the SDK is disabled.
    """

    recorder: Recorder | None = None

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add a processor; from now on every server span goes through it, hence through the SDK."""
        if self.recorder is not None:
            retire(self.recorder)
        super().add_span_processor(span_processor)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what has ended, server spans included."""
        settle_all()
        return super().force_flush(timeout_millis)


def tracer_provider(
    settings: TelemetrySettings,
    resource: Resource,
    groups: Groups,
    *,
    outlet: Outlet | None = None,
    disabled: bool = False,
) -> ServiceTracerProvider:
    """Build the provider: sampler, recorder and, if spans leave the process, the processor of *outlet*."""
    sampler = _sampler(settings)
    provider = ServiceTracerProvider(
        resource=resource,
        sampler=sampler,
        shutdown_on_exit=False,  # atexit never runs under our server; the service shuts it down in order
    )
    if disabled:
        return provider
    if outlet is not None:
        provider.add_span_processor(OutletProcessor(outlet))
    limits = SpanLimits()
    provider.recorder = Recorder(
        sampler=provider.sampler,
        ratio_bound=None if sampler is None else round(settings.sample_ratio * _RATIO_ONE),
        scope=OUR_SCOPE,
        put=None if outlet is None else outlet.put,
        groups=groups,
        limits=(limits.max_span_attributes, limits.max_span_attribute_length),
        slow_seconds=settings.slow,
    )
    return provider


def meter_provider(
    plan: Plan, destination: Destination, resource: Resource, encoded: bytes, groups: Groups
) -> tuple[MeterProvider, OtlpMetricReader]:
    """Build the provider of meters and start its reader; *groups* leave with what the SDK collects."""
    from opentelemetry.sdk.metrics import (  # noqa: PLC0415  # loaded only where metrics leave
        AlwaysOffExemplarFilter,
        AlwaysOnExemplarFilter,
        MeterProvider,
        TraceBasedExemplarFilter,
    )

    from platform_lib.telemetry._metric_reader import OtlpMetricReader  # noqa: PLC0415  # the same

    since = time.time_ns()  # law-5: exported times are the machine's

    def durations(delta: bool) -> bytes:  # noqa: FBT001  # one caller
        nonlocal since
        start, now = since, time.time_ns()  # law-5: the same
        if delta:
            since = now
        return scope_metrics_of(OUR_SCOPE, groups.metric(start, now, delta=delta))

    reader = OtlpMetricReader(
        encoded,
        deliver_to(destination),
        durations,
        interval_seconds=plan.metrics_interval_seconds,
        timeout_seconds=plan.metrics_timeout_seconds,
        temporality=plan.temporality,
        exponential=plan.exponential,
    )
    exemplars: dict[str, Callable[[], ExemplarFilter]] = {
        "trace_based": TraceBasedExemplarFilter,
        "always_on": AlwaysOnExemplarFilter,
        "always_off": AlwaysOffExemplarFilter,
    }
    provider = MeterProvider([reader], resource, exemplars[plan.exemplars](), shutdown_on_exit=False)
    reader.start(provider)
    return provider, reader


def _sampler(settings: TelemetrySettings) -> Sampler | None:
    if os.environ.get("OTEL_TRACES_SAMPLER", "").strip():
        return None  # the SDK reads it
    return ParentBased(TraceIdRatioBased(settings.sample_ratio))
