"""Serves an ASGI application on a real socket in the running loop, and can lose an answer on purpose.

uvicorn's protocol does the HTTP; its `Server` is left out, because that takes over the process's signals,
polls ten times a second, and waits for slow answers when it stops.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

_extension = "paypath.sandbox.drop"
_grace_seconds = 1.0


class LostReply(Response):
    """The answer that never comes: the connection closes without a byte, then the background task runs."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        """Close the connection under the request."""
        scope["extensions"][_extension]["abort"]()
        # The server takes a request for answered only once it has seen the connection go.
        while (await receive())["type"] != "http.disconnect":
            pass
        if self.background is not None:
            await self.background()


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which offers to cut its connection as an ASGI extension."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.access_log = False
        self.scope["extensions"] = {_extension: {"abort": self.transport.abort}}


class Listener:
    """One listening socket and the connections it took; several can live in one process."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
        )
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port; 0 asks for a free one.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._config.load()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(self._config, self._state, app_state={}, _loop=loop), host, port
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and cut every connection; what still runs after a moment is cancelled."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        # uvicorn has no event for this; an aborted connection is gone after a turn or two of the loop.
        while self._state.connections:  # noqa: ASYNC110  # see above
            await asyncio.sleep(0)
        running = set(self._state.tasks)
        if running:
            _, late = await asyncio.wait(running, timeout=_grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
