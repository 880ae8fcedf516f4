"""uvicorn, with its signals and its exits taken over; imported only by a process that serves."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from platform_lib.errors import PlatformError
from platform_lib.service._listener import refusal

if TYPE_CHECKING:
    import asyncio
    import socket

    from platform_lib.service._installed import Installed
    from platform_lib.service._settings import ServiceSettings

_backlog = 2048
_logger = logging.getLogger("platform_lib.service")


class ApplicationNotStarted(PlatformError):
    """The application's own lifespan failed."""


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the maker of the fastest event loop at hand."""
    return uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()


class HttpServer:
    """Serves *installed* on the bound socket *listener*."""

    def __init__(
        self, installed: Installed, settings: ServiceSettings, listener: socket.socket, *, port_setting: str
    ) -> None:
        self._listener = listener
        self._installed = installed
        self._port_setting = port_setting
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                installed,
                lifespan="on",
                backlog=_backlog,
                log_config=None,
                log_level="warning",  # the stages of a life are logged by the service itself
                access_log=False,  # ServerSpans writes the access log, with the trace id
                server_header=False,
                proxy_headers=False,  # a header anyone can send decides nothing here
                ws="none",
                http=_HttpProtocol,
                timeout_keep_alive=math.ceil(settings.http.keep_alive),
                timeout_graceful_shutdown=math.ceil(settings.lifecycle.in_flight),
            ),
        )

    async def serve(self) -> None:
        """Listen and serve until `stop`; requests in flight end or, when their time is up, are cancelled."""
        try:
            self._listener.listen(_backlog)
        except OSError as error:  # another process was faster between bind and listen
            raise refusal(error, *self._listener.getsockname()[:2], setting=self._port_setting) from error
        try:
            await self._uvicorn.serve([self._listener])
        except SystemExit as error:  # how uvicorn reports a failed lifespan
            raise ApplicationNotStarted(self._installed.failure) from error

    def stop(self) -> None:
        """Close the listener and let requests in flight end."""
        self._uvicorn.should_exit = True

    def abandon_requests(self) -> None:
        """Cancel the requests in flight; each is answered 503 if it was not answered yet."""
        for task in self._uvicorn.server_state.tasks:
            task.cancel()


class _HttpProtocol(HttpToolsProtocol):
    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: anyone may ask for another protocol, and is answered in HTTP (RFC 9110 7.8)."""


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`: uvicorn's handler closes the listener before anything could drain."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            _logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
