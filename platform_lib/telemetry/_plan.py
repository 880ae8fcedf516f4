"""What leaves this process, and where to: the settings, with the operator's `OTEL_*` variables above them.

Source: OpenTelemetry specification 1.60, "Environment variables"; "OTLP exporter".
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from opentelemetry.util.re import parse_env_headers

from platform_lib.telemetry._propagators import check_propagators
from platform_lib.telemetry._variables import Value, Variables

if TYPE_CHECKING:
    from platform_lib.telemetry._settings import TelemetrySettings

Signal = Literal["traces", "metrics", "logs"]

_DEFAULT_ENDPOINT = "http://localhost:4318"
_TIMEOUT_SECONDS = 2.0  # the specification's ten would outlive the time there is to stop
_METRICS_INTERVAL_SECONDS, _METRICS_TIMEOUT_SECONDS = 60.0, 30.0
# A fifth of what the specification advises: a developer soon sees the trace of a request, and a crash loses
# little. Not shorter, and in large batches: what a request to the collector costs is the service's own time.
_DELAY_SECONDS = 1.0
_CAPACITY, _BATCH = 8192, 2048
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PROTOCOL = "http/protobuf"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one signal goes.

    Attributes:
        url: the endpoint of the signal, path included.
        headers: sent with every request; they hold tokens and are not shown.
        timeout_seconds: of one request.
        compress: whether bodies are compressed with gzip.
        tls: for https.
        credential_provider: name of an entry point that gives an authorised session; mostly none.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = _TIMEOUT_SECONDS
    compress: bool = False
    tls: ssl.SSLContext | None = None
    credential_provider: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """How much waits, and for how long.

    Attributes:
        delay_seconds: the longest that a record waits for others.
        capacity: the most records that wait; further ones are dropped and counted.
        batch: the most records of one request.
    """

    delay_seconds: float = _DELAY_SECONDS
    capacity: int = _CAPACITY
    batch: int = _BATCH


@dataclass(frozen=True, slots=True)
class Plan:
    """What is set up.

    Attributes:
        disabled: nothing is recorded and nothing leaves (`OTEL_SDK_DISABLED`).
        config_file: the file that somebody else sets OpenTelemetry up from (`OTEL_CONFIG_FILE`); else empty.
        traces: where spans go; None: they do not leave.
        metrics: where metrics go; None: there is no meter provider.
        logs: where log records go; None: they do not leave by OTLP.
        standard_output: whether log lines are written to standard output.
        metrics_interval_seconds: between two exports of metrics.
        metrics_timeout_seconds: how long one export of metrics may take, repetitions included.
        temporality: of sums and histograms: cumulative, delta or lowmemory.
        exponential: whether histograms of the SDK have exponential buckets.
        exemplars: when a measurement is kept as an exemplar: trace_based, always_on or always_off.
        spans_queue: the spans that wait.
        logs_queue: the log records that wait.
    """

    disabled: bool = False
    config_file: str = ""
    traces: Destination | None = None
    metrics: Destination | None = None
    logs: Destination | None = None
    standard_output: bool = True
    metrics_interval_seconds: float = _METRICS_INTERVAL_SECONDS
    metrics_timeout_seconds: float = _METRICS_TIMEOUT_SECONDS
    temporality: str = "cumulative"
    exponential: bool = False
    exemplars: str = "trace_based"
    spans_queue: Queue = Queue()
    logs_queue: Queue = Queue()


def plan(settings: TelemetrySettings, environ: Mapping[str, str] | None = None) -> Plan:
    """Return what to set up.

    Errors: `ConfigError` with everything in the environment that cannot be obeyed.
    """
    variables = Variables(os.environ if environ is None else environ)
    if variables.is_true("OTEL_SDK_DISABLED"):
        return Plan(disabled=True)
    config_file = variables.text("OTEL_CONFIG_FILE")
    if config_file:
        return Plan(config_file=config_file)
    check_propagators(variables)
    leaving = {
        "traces": _leaves(variables, settings, "traces"),
        "metrics": _leaves(variables, settings, "metrics"),
    }
    chosen = variables.choices(
        "OTEL_LOGS_EXPORTER", ("none", "otlp", "console"), "set otlp, console (standard output) or none"
    )
    leaving["logs"] = settings.logs != "stdout" if chosen is None else "otlp" in chosen
    standard_output = settings.logs != "otlp" or not leaving["logs"]
    if chosen is not None and "console" in chosen:
        standard_output = True
    destinations = {
        signal: _destination(variables, settings, signal) if leaves else None
        for signal, leaves in leaving.items()
    }
    made = Plan(
        traces=destinations["traces"],
        metrics=destinations["metrics"],
        logs=destinations["logs"],
        standard_output=standard_output,
        metrics_interval_seconds=variables.milliseconds(
            "OTEL_METRIC_EXPORT_INTERVAL", default=_METRICS_INTERVAL_SECONDS
        ),
        metrics_timeout_seconds=variables.milliseconds(
            "OTEL_METRIC_EXPORT_TIMEOUT", default=_METRICS_TIMEOUT_SECONDS
        ),
        temporality=_metrics_choice(variables, "TEMPORALITY_PREFERENCE", "cumulative", "delta", "lowmemory"),
        exponential=_metrics_choice(
            variables,
            "DEFAULT_HISTOGRAM_AGGREGATION",
            "explicit_bucket_histogram",
            "base2_exponential_bucket_histogram",
        ).startswith("base2"),
        exemplars=variables.choice("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based", "always_on", "always_off"),
        spans_queue=_queue(variables, "BSP"),
        logs_queue=_queue(variables, "BLRP"),
    )
    variables.settle()
    return made


def _leaves(variables: Variables, settings: TelemetrySettings, signal: Signal) -> bool:
    chosen = variables.choices(
        f"OTEL_{signal.upper()}_EXPORTER",
        ("none", "otlp"),
        "set otlp or none; a collector can turn it into others",
    )
    if chosen is not None:
        return "otlp" in chosen
    if settings.exporter != "auto":
        return settings.exporter == "otlp"
    return bool(settings.endpoint or variables.first(*_endpoints(signal)))


def _metrics_choice(variables: Variables, of: str, *known: str) -> str:
    return variables.choice(f"OTEL_EXPORTER_OTLP_METRICS_{of}", *known)


def _endpoints(signal: str) -> tuple[str, str]:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"


def _queue(variables: Variables, processor: str) -> Queue:
    """Return the queue as the variables of the SDK's own batching processor say."""
    capacity = variables.count(f"OTEL_{processor}_MAX_QUEUE_SIZE", default=_CAPACITY)
    return Queue(
        delay_seconds=variables.milliseconds(f"OTEL_{processor}_SCHEDULE_DELAY", default=_DELAY_SECONDS),
        capacity=capacity,
        batch=min(variables.count(f"OTEL_{processor}_MAX_EXPORT_BATCH_SIZE", default=_BATCH), capacity),
    )


def _destination(variables: Variables, settings: TelemetrySettings, signal: str) -> Destination:
    def names(of: str) -> tuple[str, str]:
        return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{of}", f"OTEL_EXPORTER_OTLP_{of}"

    protocol = variables.first(*names("PROTOCOL"))
    if protocol is not None and protocol.text.lower() != _PROTOCOL:
        variables.mistake(
            protocol.name,
            f"{protocol.text!r} is not spoken here",
            f"set {_PROTOCOL} and the collector's port for it, mostly 4318",
        )
    url = _url(variables, settings, signal)
    host = urlsplit(url).hostname
    compression = variables.first(*names("COMPRESSION"))
    if compression is not None and compression.text.lower() not in ("gzip", "none"):
        variables.mistake(compression.name, f"{compression.text!r} is not supported here", "set gzip or none")
    # To an agent on the same machine, compressing would cost what it saves.
    compress = compression.text.lower() == "gzip" if compression else host not in _LOOPBACK
    return Destination(
        url,
        headers=parse_env_headers(variables.text(*names("HEADERS")), liberal=True),
        timeout_seconds=variables.seconds(*names("TIMEOUT"), default=_TIMEOUT_SECONDS),
        compress=compress,
        tls=_tls(variables, names) if url.startswith("https:") else None,
        credential_provider=variables.text(
            "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
            f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{signal.upper()}_CREDENTIAL_PROVIDER",
        ),
    )


def _url(variables: Variables, settings: TelemetrySettings, signal: str) -> str:
    """Return the endpoint: the operator's for this signal, their base URL, the setting, or the default."""
    own, base = _endpoints(signal)
    path = f"/v1/{signal}"
    value = variables.first(own, base)
    if value is None:
        url = settings.endpoint.strip().rstrip("/").removesuffix("/v1/traces") or _DEFAULT_ENDPOINT
        subject, url = "telemetry.endpoint", url + path
    else:
        subject = value.name
        url = value.text if value.name == own else value.text.rstrip("/") + path
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        usable = False
    if not usable:
        shown = url if value is None else value.text
        variables.mistake(
            subject, f"{shown!r} is no URL of a collector", f"set one such as {_DEFAULT_ENDPOINT}"
        )
        return _DEFAULT_ENDPOINT + path
    return url


def _tls(variables: Variables, names: Callable[[str], tuple[str, str]]) -> ssl.SSLContext | None:
    authority, certificate = (
        variables.first(*names("CERTIFICATE")),
        variables.first(*names("CLIENT_CERTIFICATE")),
    )
    key = variables.first(*names("CLIENT_KEY"))
    tls = None
    try:
        tls = ssl.create_default_context(cafile=authority.text if authority else None)
    except OSError as error:  # ssl.SSLError is one
        if authority is not None:
            _unreadable(variables, authority, error)
    if certificate is not None and tls is not None:
        try:
            tls.load_cert_chain(certificate.text, key.text if key else None)
        except OSError as error:
            _unreadable(variables, certificate, error)
    return tls


def _unreadable(variables: Variables, value: Value, error: OSError) -> None:
    variables.mistake(
        value.name,
        f"{value.text!r} cannot be used ({type(error).__name__})",
        "name a file in PEM form that this process may read",
    )
