"""The OpenTelemetry SDK set up for a service; imported only when telemetry starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

from platform_lib.telemetry._endings import settle_all
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._pipeline import (
    EXPORT_TIMEOUT_SECONDS,
    OUR_SCOPE,
    OutletProcessor,
    needs_the_sdk,
    outlet,
    traces_url,
)
from platform_lib.telemetry._recorder import Recorder

if TYPE_CHECKING:
    from platform_lib.telemetry._settings import TelemetrySettings

_EXPORT_DELAY_MILLISECONDS = 200
_RATIO_ONE = 1 << 64


class ServiceTracerProvider(TracerProvider):
    """The SDK's provider, which knows whether anyone but the platform listens to its spans.

    Attributes:
        recorder: records server spans in the SDK's stead until somebody adds a processor of theirs; None
            where the SDK is disabled or its own exporter is needed.
    """

    recorder: Recorder | None = None

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add a processor; from now on every server span goes through it, hence through the SDK."""
        if self.recorder is not None:
            self.recorder.on = False
        super().add_span_processor(span_processor)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what has ended, server spans included."""
        settle_all()
        return super().force_flush(timeout_millis)


def tracer_provider(
    settings: TelemetrySettings, *, service_name: str, version: str, environment: str
) -> ServiceTracerProvider:
    """Build the provider: resource, sampler, recorder and, if spans leave the process, their outlet."""
    sampler = _sampler(settings)
    provider = ServiceTracerProvider(
        resource=_resource(service_name, version, environment),
        sampler=sampler,
        shutdown_on_exit=False,  # atexit never runs under our server; the service shuts it down in order
    )
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return provider
    if settings.exports and needs_the_sdk(traces_url(settings.endpoint)):
        provider.add_span_processor(_sdk_export(settings.endpoint))
        return provider
    groups, put = Groups(), None
    if settings.exports:
        way_out = outlet(provider.resource, settings.endpoint, groups)
        put = way_out.put
        provider.add_span_processor(OutletProcessor(way_out))
    limits = SpanLimits()
    provider.recorder = Recorder(
        sampler=provider.sampler,
        ratio_bound=None if sampler is None else round(settings.sample_ratio * _RATIO_ONE),
        scope=OUR_SCOPE,
        put=put,
        groups=groups,
        limits=(limits.max_span_attributes, limits.max_span_attribute_length),
        slow_seconds=settings.slow,
    )
    return provider


def _resource(service_name: str, version: str, environment: str) -> Resource:
    ours = Resource.create(
        {
            "service.name": service_name,
            "service.version": version,
            "deployment.environment.name": environment,
        }
    )
    # OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME are the operator's word, so they come last.
    return ours.merge(OTELResourceDetector().detect())


def _sampler(settings: TelemetrySettings) -> Sampler | None:
    if os.environ.get("OTEL_TRACES_SAMPLER"):
        return None  # the SDK reads it
    return ParentBased(TraceIdRatioBased(settings.sample_ratio))


def _sdk_export(endpoint: str) -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415  # loads requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    exporter = OTLPSpanExporter(
        endpoint=traces_url(endpoint), timeout=EXPORT_TIMEOUT_SECONDS, compression=Compression.Gzip
    )
    return BatchSpanProcessor(
        exporter,
        max_queue_size=8192,
        max_export_batch_size=512,
        schedule_delay_millis=_EXPORT_DELAY_MILLISECONDS,
    )
