"""From recorded spans to the collector; imported only when telemetry starts.

Spans of the SDK's tracers and those of the recorder leave through one outlet, in one request.
"""

from __future__ import annotations

import os
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from opentelemetry.metrics import get_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.util.re import parse_env_headers

from platform_lib._version import __version__
from platform_lib.telemetry._collector import Collector
from platform_lib.telemetry._encoding import resource_part, scope_part, sdk_span
from platform_lib.telemetry._groups import Groups, metrics_request
from platform_lib.telemetry._outlet import Outlet

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

# Of one export request. OTEL_EXPORTER_OTLP_TIMEOUT is seconds in Python and milliseconds in the
# specification; an explicit value is neither wrong by a thousand nor ten seconds of waiting at shutdown.
EXPORT_TIMEOUT_SECONDS = 2.0
TRACES_PATH = "/v1/traces"
_METRICS_PATH = "/v1/metrics"
_DEFAULT_ENDPOINT = "http://localhost:4318"
_DEFAULT_METRICS_INTERVAL_MILLISECONDS = "60000"

OUR_SCOPE = scope_part(InstrumentationScope("platform_lib", __version__))
"""The instrumentation scope of server spans and their metric."""


class OutletProcessor(SpanProcessor):
    """Hands the spans that the SDK recorded to the outlet, as bytes."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._scopes: dict[InstrumentationScope | None, bytes] = {}

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span if it is sampled."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        scope = span.instrumentation_scope
        part = self._scopes.get(scope)
        if part is None:
            part = self._scopes[scope] = scope_part(scope)
        self._outlet.put(part, sdk_span(span), 1)

    def shutdown(self) -> None:
        """Send what is queued and end the outlet."""
        self._outlet.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until nothing is queued, within the time given."""
        return self._outlet.flush(timeout_millis / 1000)


def traces_url(endpoint: str) -> str:
    """Return where spans go: *endpoint*, a base URL, or what the `OTEL_*` variables say."""
    if endpoint:
        return endpoint if endpoint.rstrip("/").endswith(TRACES_PATH) else endpoint.rstrip("/") + TRACES_PATH
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or _DEFAULT_ENDPOINT
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or base.rstrip("/") + TRACES_PATH


def _metrics_url(traces: str) -> str:
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return (
        os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
        or (base.rstrip("/") + _METRICS_PATH if base and not traces.startswith(base) else "")
        or traces.rstrip("/").removesuffix(TRACES_PATH) + _METRICS_PATH
    )


def needs_the_sdk(url: str) -> bool:
    """Whether only the SDK's own exporter can reach *url*: through a proxy, or with a credential provider."""
    parts = urlsplit(url)
    proxied = parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")
    return proxied or any(
        os.environ.get(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{name}CREDENTIAL_PROVIDER")
        for name in ("", "TRACES_")
    )


def outlet(resource: Resource, endpoint: str, groups: Groups) -> Outlet:
    """Start the outlet to *endpoint*, with the metric over *groups* beside the spans."""
    url = traces_url(endpoint)
    encoded, started = resource_part(resource), time.time_ns()  # law-5: exported times are the machine's

    def metrics() -> bytes:
        if isinstance(get_meter_provider(), MeterProvider):
            return b""  # somebody else's provider has them, through the API
        now = time.time_ns()  # law-5: the same
        return metrics_request(encoded, OUR_SCOPE, groups.metric(started, now))

    wanted = os.environ.get("OTEL_METRICS_EXPORTER", "").strip() != "none"
    interval = os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") or _DEFAULT_METRICS_INTERVAL_MILLISECONDS
    return Outlet(
        encoded,
        _collector(url, "TRACES").post,
        metrics=metrics if wanted else None,
        deliver_metrics=_collector(_metrics_url(url), "METRICS").post,
        metrics_interval_seconds=float(interval) / 1000,
    )


def _collector(url: str, signal: str) -> Collector:
    # To an agent on the same machine, compressing would cost what it saves.
    local = urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
    compression = _variable(signal, "COMPRESSION").lower() or ("none" if local else "gzip")
    tls = None
    if url.startswith("https:"):
        tls = ssl.create_default_context(cafile=_variable(signal, "CERTIFICATE") or None)
        certificate = _variable(signal, "CLIENT_CERTIFICATE")
        if certificate:
            tls.load_cert_chain(certificate, _variable(signal, "CLIENT_KEY") or None)
    return Collector(
        url,
        headers=parse_env_headers(_variable(signal, "HEADERS"), liberal=True),
        timeout_seconds=EXPORT_TIMEOUT_SECONDS,
        compress=compression == "gzip",
        tls=tls,
    )


def _variable(signal: str, name: str) -> str:
    """Return an exporter's variable, the one of its signal before the general one."""
    specific = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_{name}", "")
    return specific.strip() or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip()
