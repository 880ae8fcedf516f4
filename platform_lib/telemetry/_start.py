"""Telemetry of a process: started once, flushed within a bound when the process stops."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

from opentelemetry import trace

from platform_lib.telemetry._endings import settle_all
from platform_lib.telemetry._logs import configure_logging
from platform_lib.telemetry._recorder import install

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_lib.telemetry._settings import TelemetrySettings


class Telemetry:
    """The telemetry of this process; `shutdown` sends what is still buffered."""

    def __init__(self, shutdown: Callable[[], None] | None = None) -> None:
        self._shutdown = shutdown

    def shutdown(self, timeout_seconds: float = 3.0) -> bool:
        """Flush and stop within *timeout_seconds*; gives whether everything was sent or given up in time.

        The SDK's own time limits do not hold against a dead collector, so the work runs in a daemon thread
        that is abandoned when the time is up. Calling it again does nothing.
        """
        work, self._shutdown = self._shutdown, None
        if work is None:
            return True
        thread = threading.Thread(target=work, name="telemetry-shutdown", daemon=True)
        thread.start()
        thread.join(timeout_seconds)
        return not thread.is_alive()


def start_telemetry(
    settings: TelemetrySettings, *, service_name: str, version: str, environment: str
) -> Telemetry:
    """Configure logging and, once a process, the tracer provider.

    A provider that is already set (by a test kit, or by an operator's own instrumentation) is used as it is
    and never shut down from here. Start it in the process that serves, never before a fork.
    """
    configure_logging(settings, service_name=service_name)
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return Telemetry()
    from platform_lib.telemetry._sdk import tracer_provider  # noqa: PLC0415  # the SDK loads only here

    provider = tracer_provider(settings, service_name=service_name, version=version, environment=environment)
    trace.set_tracer_provider(provider)
    if provider.recorder is not None:
        install(provider.recorder)
        atexit.register(settle_all)

    def stop() -> None:
        settle_all()
        provider.shutdown()

    return Telemetry(stop)
