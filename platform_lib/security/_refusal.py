"""How a caller is refused before the application sees anything, over HTTP and over websocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_lib.service import problem_body, problem_headers

if TYPE_CHECKING:
    from platform_lib.errors import Problem
    from platform_lib.service import Receive, Scope, Send

_policy_violation, _try_again_later = 1008, 1013  # RFC 6455 section 7.4.1, and the IANA registry beside it
_unavailable = 503


async def refuse(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    """Answer *problem*; a websocket is closed before it opens."""
    if scope["type"] == "websocket":
        await receive()
        code = _try_again_later if problem.status == _unavailable else _policy_violation
        await send({"type": "websocket.close", "code": code})
        return
    body = problem_body(problem)
    headers = {**problem_headers(problem), "content-length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
