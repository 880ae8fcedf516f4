"""The admin port's server: up before anything opens, down when everything has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

from platform_lib.service._admin._pages import AdminPages
from platform_lib.service._connection import Connection
from platform_lib.service._http_server import QuietServer
from platform_lib.service._listener import refusal

if TYPE_CHECKING:
    import socket

    from platform_lib.service._installed import Installed

_backlog = 16
_seconds_to_close = 1
_largest_headers = 16 * 1024


class AdminServer:
    """Serves `AdminPages` on the bound socket *listener*, in the running loop.

    *port_setting* names the port's setting in error messages.
    """

    def __init__(self, installed: Installed, listener: socket.socket, *, port_setting: str) -> None:
        self._listener = listener
        self._port_setting = port_setting
        self._pages = AdminPages(installed)
        self._server = QuietServer(
            uvicorn.Config(
                self._pages,
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                ws="none",
                http=Connection.taking(_largest_headers),
            ),
            in_flight_seconds=_seconds_to_close,
            said="admin port at",
        )

    async def open(self) -> None:
        """Listen and answer from now on; raises `PortTaken` or `AddressUnusable`."""
        try:
            self._listener.listen(_backlog)
        except OSError as error:  # another process was faster between bind and listen
            raise refusal(error, *self._listener.getsockname()[:2], setting=self._port_setting) from error
        # No main loop: it would only turn ten times a second to see whether it should end.
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup([self._listener])

    async def close(self) -> None:
        """Stop listening; what is still asked has a second to be answered."""
        self._pages.close()
        if self._server.started:
            await self._server.shutdown([self._listener])
        self._listener.close()
