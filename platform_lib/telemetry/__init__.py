"""Traces, metrics and logs: what happened, for whom, how long it took, without a secret or a card number.

Custom spans are made with the functions below; they speak the OpenTelemetry API, so any other
instrumentation joins the same trace. Metrics are OpenTelemetry's too; `counter`, `histogram` and `gauge` add
an allow-list and a cap to them. Only `start_telemetry` loads the SDK.
"""

from platform_lib.telemetry._context import (
    current_trace_id,
    current_traceparent,
    outbound_headers,
    parse_traceparent,
    remote_parent,
)
from platform_lib.telemetry._logs import JsonLines, configure_logging, noisy_loggers
from platform_lib.telemetry._other_spans import refuse_other_server_spans
from platform_lib.telemetry._own_metrics import counter, gauge, histogram
from platform_lib.telemetry._server import ServerSpans
from platform_lib.telemetry._settings import TelemetrySettings
from platform_lib.telemetry._spans import (
    client_span,
    consumer_span,
    linked_span,
    mark_failed,
    producer_span,
    traced,
)
from platform_lib.telemetry._start import Telemetry, start_telemetry

__all__ = [
    "JsonLines",
    "ServerSpans",
    "Telemetry",
    "TelemetrySettings",
    "client_span",
    "configure_logging",
    "consumer_span",
    "counter",
    "current_trace_id",
    "current_traceparent",
    "gauge",
    "histogram",
    "linked_span",
    "mark_failed",
    "noisy_loggers",
    "outbound_headers",
    "parse_traceparent",
    "producer_span",
    "refuse_other_server_spans",
    "remote_parent",
    "start_telemetry",
    "traced",
]
