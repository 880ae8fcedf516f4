"""uvicorn, with its signals and its exits taken over; imported only by a process that serves."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from platform_lib.errors import PlatformError
from platform_lib.service._closing import close_connections, stop_accepting
from platform_lib.service._connection import Connection
from platform_lib.service._listener import refusal

if TYPE_CHECKING:
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
        self._uvicorn = QuietServer(
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
                http=Connection.taking(settings.http.max_header_bytes),
                timeout_keep_alive=math.ceil(settings.http.keep_alive),
            ),
            in_flight_seconds=settings.lifecycle.in_flight,
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


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers; says in the service's log where it listens.

    Connections have *in_flight_seconds* to end when it stops.
    """

    def __init__(
        self, config: uvicorn.Config, *, in_flight_seconds: float, said: str = "listening on"
    ) -> None:
        super().__init__(config)
        self._in_flight_seconds = in_flight_seconds
        self._said = said

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`: uvicorn's handler closes the listener before anything could drain."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on *sockets*, and say where."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            _logger.info("%s http://%s:%d", self._said, f"[{host}]" if ":" in host else host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let connections end, and cancel what takes too long.

        uvicorn's own resets who waits to be accepted and who has not been read yet.
        """
        await stop_accepting(self.servers, sockets or ())
        state = self.server_state
        try:
            async with asyncio.timeout(self._in_flight_seconds):
                await close_connections(state)
        except TimeoutError:
            _logger.warning(
                "%d connections with %d requests did not end within %g s and are cut off",
                len(state.connections),
                len(state.tasks),
                self._in_flight_seconds,
            )
            for task in state.tasks:
                task.cancel()
        await self.lifespan.shutdown()
