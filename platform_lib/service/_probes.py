"""The three probes, answered before anything else sees the request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from platform_lib.errors import Problem
from platform_lib.health import Report, Status
from platform_lib.service._problem import send_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_lib.health import HealthChecks
    from platform_lib.service._asgi import ASGIApp, Receive, Scope, Send

_headers = [(b"content-type", b"application/health+json"), (b"cache-control", b"no-store")]


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class Probes:
    """ASGI middleware answering `/livez`, `/readyz`, `/startupz` from memory: no I/O, no span, no log.

    *verbose* tells whether a request is answered with details.
    """

    def __init__(self, app: ASGIApp, health: HealthChecks, *, verbose: Callable[[Scope], bool]) -> None:
        self._app = app
        self._verbose = verbose
        self._reports: dict[str, Callable[[], Report]] = {
            "/livez": health.liveness,
            "/readyz": health.readiness,
            "/startupz": health.startup,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a probe, or pass the connection on."""
        report = self._reports.get(scope["path"]) if scope["type"] == "http" else None
        if report is None:
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await send_problem(
                send, MethodNotAllowed("A probe answers GET and HEAD", headers={"allow": "GET, HEAD"})
            )
        else:
            await self._answer(report(), scope, send)

    async def _answer(self, report: Report, scope: Scope, send: Send) -> None:
        if self._verbose(scope):
            body, headers = _answered(report.document(verbose=True))
        else:
            body, headers = _terse[report.status]
        status = 503 if report.status == "fail" else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _answered(document: dict[str, Any]) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    body = json.dumps(document, separators=(", ", ": ")).encode()
    return body, [*_headers, (b"content-length", str(len(body)).encode("ascii"))]


_statuses: tuple[Status, ...] = ("pass", "warn", "fail")
_terse = {status: _answered(Report(status).document()) for status in _statuses}


def asked_for_details(scope: Scope) -> bool:
    """Return whether the query is ``?verbose``."""
    return bool(scope.get("query_string", b"").split(b"=")[0] == b"verbose")
