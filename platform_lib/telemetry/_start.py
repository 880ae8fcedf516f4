"""Telemetry of a process: traces, metrics and logs, started by one call and flushed within a bound."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.metrics._internal import _ProxyMeterProvider  # the API has no other way to ask

from platform_lib.telemetry._ended import collect_in
from platform_lib.telemetry._endings import settle_all
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._logs import configure_logging, platform_handler
from platform_lib.telemetry._plan import Plan, plan
from platform_lib.telemetry._recorder import install

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from platform_lib.telemetry._fork import Way
    from platform_lib.telemetry._settings import TelemetrySettings

_logger = logging.getLogger("platform_lib.telemetry")


class Telemetry:
    """The telemetry of this process; `shutdown` sends what is still buffered."""

    def __init__(self, ways: Mapping[str, Callable[[], bool]] | None = None) -> None:
        self._ways = dict(ways or {})

    def shutdown(self, timeout_seconds: float = 3.0) -> bool:
        """Send what is left of every signal and stop, within *timeout_seconds*; gives whether all was taken.

        The signals are sent at once, each from a daemon thread that is abandoned when the time is up: a
        collector that is dead, or that accepts and never answers, delays nobody longer. What was not taken is
        named in a warning. Calling it again does nothing.
        """
        ways, self._ways = self._ways, {}
        settle_all()
        taken: dict[str, bool] = {}
        threads = [
            threading.Thread(
                target=_close, args=(name, close, taken), name=f"telemetry-stop-{name}", daemon=True
            )
            for name, close in ways.items()
        ]
        deadline = time.monotonic() + timeout_seconds
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        lost = [name for name in ways if not taken.get(name, False)]
        if lost:
            _logger.warning(
                "%s: not all taken by the collector in the last %g s; see that it runs and its endpoint",
                ", ".join(lost),
                timeout_seconds,
            )
        return not lost


def _close(name: str, close: Callable[[], bool], taken: dict[str, bool]) -> None:
    taken[name] = close()


def start_telemetry(
    settings: TelemetrySettings, *, service_name: str, version: str, environment: str
) -> Telemetry:
    """Set up traces, metrics and logs, once a process, by the OpenTelemetry specification.

    The operator's `OTEL_*` variables win over *settings*. A provider that is already set (by a test kit, or
    by an operator's own instrumentation) is used as it is and never shut down from here. A meter provider is
    set only where metrics leave. Start it in the process that serves, never before a fork.
    Errors: `ConfigError` with everything in the environment that cannot be obeyed.
    """
    configure_logging(settings, service_name=service_name)
    _forget_blank_variables()
    made = plan(settings)
    if made.config_file:
        _logger.warning(
            "OTEL_CONFIG_FILE: set, so the platform sets up no provider, and of telemetry's settings those "
            "of the log lines alone are obeyed; unset it, or start under what reads it, such as "
            "opentelemetry-instrument"
        )
        return Telemetry()
    from platform_lib.telemetry._resource import resource  # noqa: PLC0415  # the SDK loads only here

    who = resource(
        service_name=service_name, version=version, environment=environment, namespace=settings.namespace
    )
    return _start(settings, made, who)


def _start(settings: TelemetrySettings, made: Plan, who: Resource) -> Telemetry:
    from platform_lib.telemetry._encoding import resource_part  # noqa: PLC0415  # see start_telemetry
    from platform_lib.telemetry._fork import stop_in_children  # noqa: PLC0415
    from platform_lib.telemetry._pipeline import outlet  # noqa: PLC0415
    from platform_lib.telemetry._sdk import meter_provider, tracer_provider  # noqa: PLC0415

    encoded, groups = resource_part(who), Groups()
    ways: dict[str, Way] = {}
    if made.metrics and isinstance(metrics.get_meter_provider(), _ProxyMeterProvider):
        meters, ways["metrics"] = meter_provider(made, made.metrics, who, encoded, groups)
        collect_in(groups)
        metrics.set_meter_provider(meters)
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        spans = outlet(encoded, made.traces, made.spans_queue, what="spans") if made.traces else None
        if spans is not None:
            ways["spans"] = spans
        provider = tracer_provider(settings, who, groups, outlet=spans, disabled=made.disabled)
        trace.set_tracer_provider(provider)
        if provider.recorder is not None:
            install(provider.recorder)
            atexit.register(settle_all)
    handler = platform_handler()
    if made.logs and handler is not None:
        from platform_lib.telemetry._log_records import LogRecords  # noqa: PLC0415

        records = outlet(encoded, made.logs, made.logs_queue, what="log records")
        ways["log records"] = records
        handler.records, handler.writes = LogRecords(records.put), made.standard_output
    stop_in_children(*ways.values())
    closing = {name: way.close for name, way in ways.items()}
    if "log records" in closing:
        closing["log records"] = partial(_close_logs, ways["log records"])
    return Telemetry(closing)


def _close_logs(way: Way) -> bool:
    handler = platform_handler()
    if handler is not None:  # what is said from now on is at least written
        handler.records, handler.writes = None, True
    return way.close()


def _forget_blank_variables() -> None:
    """Unset the variables that are blank: the specification wants that, and the SDK fails on some of them."""
    for name, value in list(os.environ.items()):
        if name.startswith("OTEL_") and not value.strip():
            del os.environ[name]
