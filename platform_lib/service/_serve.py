"""The entry point of a service process: start, serve, drain, stop, in that order and within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from platform_lib.config import environment_variables
from platform_lib.errors import ConfigError, PlatformError
from platform_lib.redaction import redact
from platform_lib.service._installed import Installed
from platform_lib.service._listener import bind
from platform_lib.service._overtime import Overtime
from platform_lib.telemetry import configure_logging, start_telemetry

if TYPE_CHECKING:
    from platform_lib.service._admin._server import AdminServer
    from platform_lib.service._asgi import ASGIApp
    from platform_lib.service._http_server import HttpServer
    from platform_lib.service._service import Service

_logger = logging.getLogger("platform_lib.service")
_failed = 1
_not_configured = os.EX_CONFIG  # 78, as when the settings cannot be loaded


def serve(service: Service, app: ASGIApp) -> int:
    """Serve *app* until a signal ends it; returns the exit code of the process.

    On SIGTERM: readiness fails while requests are still served, with `Connection: close` (`lifecycle.drain`
    seconds, none on SIGINT); the listener closes; requests in flight end (`in_flight`); workers end and
    resources close in reverse (`stop`); telemetry leaves (`flush`). A further signal cuts a stage short: the
    drain, then the requests in flight. A start that fails, or a port that is taken, is one message on stderr
    and exit code 1; variables of OpenTelemetry that cannot be obeyed are exit code 78. The admin port, if
    there is one, answers from before the first resource opens until the last has closed. A process that has
    not ended when all stages have had their time, since a thread of it is blocked, is ended with exit code
    70; telemetry leaves before.

    An application that was not installed on the service is installed here. Call it from the main thread.
    """
    installed = app if isinstance(app, Installed) else service.install(app)
    settings = service.settings
    configure_logging(settings.telemetry, service_name=service.name)
    setting, admin_setting = _name_of(service, "http.port"), _name_of(service, "admin.port")
    with contextlib.ExitStack() as bound:
        admin_listener = None
        try:
            listener = bound.enter_context(bind(settings.http.host, settings.http.port, setting=setting))
            if settings.admin.port is not None:
                admin_listener = bound.enter_context(
                    bind(settings.admin.host, settings.admin.port, setting=admin_setting)
                )
            telemetry = start_telemetry(
                settings.telemetry,
                service_name=service.name,
                version=service.version,
                environment=settings.environment,
            )
        except PlatformError as error:
            return _give_up(service, error)
        from platform_lib.service._http_server import HttpServer, event_loop  # noqa: PLC0415  # uvicorn: only to serve

        server = HttpServer(installed, settings, listener, port_setting=setting)
        admin = None
        if admin_listener is not None:
            from platform_lib.service._admin._server import AdminServer  # noqa: PLC0415  # uvicorn, as above

            admin = AdminServer(installed, admin_listener, port_setting=admin_setting)
        flush = partial(telemetry.shutdown, settings.lifecycle.flush)
        overtime = Overtime(settings.lifecycle, flush)
        try:
            with asyncio.Runner(loop_factory=event_loop()) as runner:
                return runner.run(_Process(service, installed, server, admin, overtime).run())
        except PlatformError as error:
            return _give_up(service, error)
        finally:
            bound.close()
            with _signals_ignored():  # the loop that handled them is gone, and what is left is bounded
                flush()
            overtime.end()


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Process:
    """One run of a service, from start to stop."""

    def __init__(
        self,
        service: Service,
        installed: Installed,
        server: HttpServer,
        admin: AdminServer | None,
        overtime: Overtime,
    ) -> None:
        self._service = service
        self._installed = installed
        self._server = server
        self._admin = admin
        self._overtime = overtime
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._drain_seconds = service.settings.lifecycle.drain

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        starting = asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number, starting)
        try:
            try:
                if self._admin is not None:
                    await self._admin.open()
                await self._service.start()
            except asyncio.CancelledError:
                _logger.info("%s: stopped while starting", self._service.name)
                return 0
            try:
                return await self._serve()
            finally:
                await self._service.stop()
                _logger.info("%s: stopped", self._service.name)
        finally:
            if self._admin is not None:
                await self._admin.close()

    async def _serve(self) -> int:
        serving = asyncio.create_task(self._server.serve(), name="http server")
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not serving.done():
            await self._drain()
            self._server.stop()
        await serving  # raises what kept the server from listening
        return 0

    async def _drain(self) -> None:
        self._service.begin_drain()
        _logger.info(
            "%s: not ready any more, still serving for %g s (%d requests in flight)",
            self._service.name,
            self._drain_seconds,
            self._installed.in_flight,
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds):
                await self._hurry.wait()

    def _on_signal(self, number: int, starting: asyncio.Task[int] | None) -> None:
        self._overtime.begin()
        if self._service.phase in ("new", "starting") and starting is not None:
            starting.cancel()
        elif not self._asked.is_set():
            if number == signal.SIGINT:
                self._drain_seconds = 0.0
            self._asked.set()
        elif not self._hurry.is_set():
            self._hurry.set()
        else:
            self._server.abandon_requests()


def _name_of(service: Service, field: str) -> str:
    """Return the name by which an operator sets *field*."""
    for variable in environment_variables(type(service.settings)):
        if variable.field == field:
            return variable.name
    return field


def _give_up(service: Service, error: PlatformError) -> int:
    cause = error.__cause__
    if cause is not None and not isinstance(cause, PlatformError | OSError | SystemExit):
        _logger.error("%s: cannot start", service.name, exc_info=cause)  # a mistake in code: show where
    sys.stderr.write(f"{service.name}: cannot start: {redact(str(error))}\n")
    return _not_configured if isinstance(error, ConfigError) else _failed
