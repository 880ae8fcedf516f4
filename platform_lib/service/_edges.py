"""What every request meets before the application: drain, last resort, body limit."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.metrics import Observation

from platform_lib.errors import Fault, Problem, Unavailable
from platform_lib.service._problem import send_problem
from platform_lib.telemetry._catalogue import server_active_requests, server_oldest_request
from platform_lib.telemetry._request import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_lib.clock import Clock
    from platform_lib.service._asgi import ASGIApp, Message, Receive, Scope, Send

_announcing = frozenset({"1.0", "1.1"})
_logger = logging.getLogger("platform_lib.service")


class ContentTooLarge(Problem):
    """The request body is larger than the service takes."""

    status = 413
    code = "content_too_large"
    title = "Content too large"


class InFlight:
    """ASGI middleware that counts requests in flight and, while draining, has clients connect elsewhere."""

    def __init__(self, app: ASGIApp, clock: Clock, *, draining: Callable[[], bool]) -> None:
        self._app = app
        self._monotonic = clock.monotonic
        self._draining = draining
        # By the identity of the scope, in the order of arrival: when it came, and the scope.
        self._requests: dict[int, tuple[float, Scope]] = {}
        self._seen: set[tuple[str, str]] = set()
        server_active_requests.watch(self._active)
        server_oldest_request.watch(self._oldest)

    @property
    def count(self) -> int:
        """How many requests are in flight."""
        return len(self._requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def closing_send(message: Message) -> None:
            if message["type"] == "http.response.start" and self._draining():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        key = id(scope)
        self._requests[key] = self._monotonic(), scope
        try:
            await self._app(scope, receive, closing_send)
        finally:
            del self._requests[key]

    def _active(self) -> list[Observation]:
        active = Counter(
            (scope["method"] if scope["method"] in METHODS else "_OTHER", scope.get("scheme") or "http")
            for _, scope in list(self._requests.values())
        )
        self._seen |= active.keys()  # from now on 0 is told, too
        return [
            Observation(active[each], {"http.request.method": each[0], "url.scheme": each[1]})
            for each in self._seen
        ]

    def _oldest(self) -> list[Observation]:
        requests = list(self._requests.values())
        return [Observation(self._monotonic() - requests[0][0] if requests else 0.0)]


class LastResort:
    """ASGI middleware that answers a `Problem` nobody answered, and any other error as a fault, logged once.

    A request cut off because the service stops is told so (503, worth a retry with the same idempotency key).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = complete = failed = False

        async def watching_send(message: Message) -> None:
            nonlocal started, complete, failed
            started = True
            if message["type"] == "http.response.start":
                failed = message["status"] >= Fault.status
            await send(message)
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await self._app(scope, receive, watching_send)
        except asyncio.CancelledError:
            if not started:
                await send_problem(send, Unavailable("The service is stopping; send the same request again"))
            raise
        except Problem as problem:
            if started:
                raise
            await send_problem(send, problem)
        except Exception as error:
            _blame(error, answered_well=complete and not failed)
            _logger.exception(
                "unhandled %s in %s %s", type(error).__qualname__, scope["method"], scope["path"]
            )
            if not started:
                await send_problem(send, Fault("Something failed on our side; the trace id finds it"))


def _blame(error: Exception, *, answered_well: bool) -> None:
    if not answered_well:  # else a task behind a good answer failed, and not the request
        trace.get_current_span().set_attribute("error.type", type(error).__qualname__)


class BodyLimit:
    """ASGI middleware that answers 413 to a body larger than *max_bytes*, announced or not."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._problem = ContentTooLarge(
            f"The largest body taken here has {max_bytes} bytes", max_bytes=max_bytes
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _announced(scope)
        if announced is None:
            await _LimitedExchange(self._app, self._max_bytes, self._problem).run(scope, receive, send)
        elif announced > self._max_bytes:
            await send_problem(send, self._problem)
        else:
            await self._app(scope, receive, send)


def _announced(scope: Scope) -> int | None:
    """Return how long the body is, in bytes; None if that shows only when it has arrived.

    Of HTTP/1.1 the server lets no more through than was announced, and nothing where nothing was
    (RFC 9112 section 6.3); later versions frame a body whatever it announces.
    """
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                return None
            length = int(value[:19])
        elif name == b"transfer-encoding":
            return None
    return length if scope.get("http_version") in _announcing else None


class _TooLarge(Exception):
    """Stops an application that reads a body it may not have."""


class _LimitedExchange:
    """One request whose body is counted as it arrives."""

    def __init__(self, app: ASGIApp, max_bytes: int, problem: Problem) -> None:
        self._app = app
        self._left = max_bytes
        self._problem = problem
        self._refused = False
        self._started = False

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting_receive() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._left -= len(message.get("body", b""))
                if self._left < 0:
                    if not (self._refused or self._started):
                        self._refused = True
                        await send_problem(send, self._problem)
                    raise _TooLarge
            return message

        async def unrefused_send(message: Message) -> None:
            if not self._refused:
                self._started = True
                await send(message)

        try:
            await self._app(scope, counting_receive, unrefused_send)
        except Exception:
            if not self._refused:
                raise
