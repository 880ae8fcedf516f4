"""The OpenTelemetry SDK set up for a service; imported only when telemetry starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

if TYPE_CHECKING:
    from platform_lib.telemetry._settings import TelemetrySettings

# Short, so that a developer sees the trace of the request just made, and a crash loses little.
_EXPORT_DELAY_MILLISECONDS = 200
# Of one export request. OTEL_EXPORTER_OTLP_TIMEOUT is seconds in Python and milliseconds in the
# specification; an explicit value is neither wrong by a thousand nor ten seconds of waiting at shutdown.
_EXPORT_TIMEOUT_SECONDS = 2.0
_TRACES_PATH = "/v1/traces"


def tracer_provider(
    settings: TelemetrySettings, *, service_name: str, version: str, environment: str
) -> TracerProvider:
    """Build the provider: resource, sampler and, if spans leave the process, a batching OTLP exporter."""
    provider = TracerProvider(
        resource=_resource(service_name, version, environment),
        sampler=_sampler(settings),
        shutdown_on_exit=False,  # atexit never runs under our server; the service shuts it down in order
    )
    if settings.exports:
        provider.add_span_processor(
            BatchSpanProcessor(
                _exporter(settings.endpoint),
                max_queue_size=8192,
                max_export_batch_size=512,
                schedule_delay_millis=_EXPORT_DELAY_MILLISECONDS,
            )
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


def _exporter(endpoint: str) -> OTLPSpanExporter:
    if endpoint and not endpoint.rstrip("/").endswith(_TRACES_PATH):
        endpoint = endpoint.rstrip("/") + _TRACES_PATH
    return OTLPSpanExporter(
        endpoint=endpoint or None, timeout=_EXPORT_TIMEOUT_SECONDS, compression=Compression.Gzip
    )
