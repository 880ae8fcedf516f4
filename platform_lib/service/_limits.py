"""How much one request may bring, how many there may be at once, and how long one may take."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from platform_lib._deadline import Deadline, keep_to, parse_budget
from platform_lib._deadline import header as deadline_header
from platform_lib.errors import Problem, Unavailable
from platform_lib.service._problem import send_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_lib.clock import Clock
    from platform_lib.service._asgi import ASGIApp, Receive, Scope, Send

_deadline_header = deadline_header.lower().encode("ascii")
_line_overhead = 4  # the colon, the space and the end of the line


class HeadersTooLarge(Problem):
    """The request has more headers, or larger ones, than the service takes (RFC 6585 section 5)."""

    status = 431
    code = "headers_too_large"
    title = "Request header fields too large"


class HeaderLimit:
    """ASGI middleware that answers 431 to more than *most* headers, or to more than *max_bytes* of them."""

    def __init__(self, app: ASGIApp, *, most: int, max_bytes: int) -> None:
        self._app = app
        self._most = most
        self._max_bytes = max_bytes
        self._problem = HeadersTooLarge(
            f"At most {most} headers of {max_bytes} bytes together are taken here",
            max_headers=most,
            max_bytes=max_bytes,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and self._exceeded(scope["headers"]):
            await send_problem(send, self._problem)
        else:
            await self._app(scope, receive, send)

    def _exceeded(self, headers: list[tuple[bytes, bytes]]) -> bool:
        if len(headers) > self._most:
            return True
        texts = sum(map(len, chain.from_iterable(headers)))
        return texts + _line_overhead * len(headers) > self._max_bytes


class LoadLimit:
    """ASGI middleware that answers 503 with `Retry-After` to a request beyond *most* at once.

    *in_flight* counts the requests being answered, this one included.
    """

    def __init__(self, app: ASGIApp, *, most: int, in_flight: Callable[[], int]) -> None:
        self._app = app
        self._most = most
        self._in_flight = in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and self._in_flight() > self._most:
            await send_problem(send, Unavailable("The service is busy; send the same request again"))
        else:
            await self._app(scope, receive, send)


class InboundDeadline:
    """ASGI middleware that has calls to peers keep to the caller's `Deadline-Budget`, in milliseconds.

    It bounds calls out, not the request itself: work that was begun is finished. Only for trusted callers: a
    stranger could have calls cut off midway and leave their outcomes to be looked up.
    """

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        seconds = self._budget(scope) if scope["type"] == "http" else None
        if seconds is None:
            await self._app(scope, receive, send)
            return
        with keep_to(Deadline.after(seconds, self._clock)):
            await self._app(scope, receive, send)

    @staticmethod
    def _budget(scope: Scope) -> float | None:
        given = [value for name, value in scope["headers"] if name == _deadline_header]
        return parse_budget(given[0].decode("latin-1")) if len(given) == 1 else None
