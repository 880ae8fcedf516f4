"""What the admin port answers."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from platform_lib import strict_json
from platform_lib._version import __version__
from platform_lib.config import fingerprint, masked_values
from platform_lib.errors import InvalidRequest, NotFound
from platform_lib.service._admin._authority import Guard
from platform_lib.service._admin._log_levels import LogLevels, levels, longest_seconds
from platform_lib.service._admin._tasks import tasks
from platform_lib.service._edges import BodyLimit, LastResort
from platform_lib.service._probes import MethodNotAllowed, Probes

if TYPE_CHECKING:
    from platform_lib.service._asgi import ASGIApp, Receive, Scope, Send
    from platform_lib.service._installed import Installed

_largest_body = 4096
_usual_seconds = 900
_headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]

_Page = Callable[["Receive"], Awaitable[Any]]


class AdminPages:
    """ASGI application that shows the inside of the service of *installed*; no span, no count, no access log.

    `/livez`, `/readyz` and `/startupz` answer with every check; `/configuration` with every value, secrets
    masked; `/log-levels` shows and changes levels; `/process` and `/tasks` say what goes on.
    """

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._service = installed.service
        self._log_levels = LogLevels(
            self._service.clock, lambda: self._service.effective_settings.telemetry.log_level
        )
        self._pages: dict[str, dict[str, _Page]] = {
            "/": {"GET": self._index},
            "/configuration": {"GET": self._configuration},
            "/log-levels": {"GET": self._show_levels, "PUT": self._change_level},
            "/process": {"GET": self._process},
            "/tasks": {"GET": self._tasks},
        }
        probes = Probes(self._page, self._service.health, verbose=lambda _: True)
        inner: ASGIApp = LastResort(BodyLimit(probes, max_bytes=_largest_body))
        self._guarded = Guard(inner, lambda: self._service.effective_settings.admin.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._guarded(scope, receive, send)

    def close(self) -> None:
        """End what was begun."""
        self._log_levels.close()

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self._pages.get(scope["path"])
        if methods is None:
            raise NotFound(f"There is nothing at this path; there are {', '.join(self._paths())}")
        page = methods.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if page is None:
            allowed = ", ".join(methods)
            raise MethodNotAllowed(f"This path answers {allowed}", headers={"allow": allowed})
        body = json.dumps(await page(receive), indent=2, ensure_ascii=False).encode() + b"\n"
        length = (b"content-length", str(len(body)).encode("ascii"))
        await send({"type": "http.response.start", "status": 200, "headers": [*_headers, length]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _paths(self) -> list[str]:
        return ["/livez", "/readyz", "/startupz", *self._pages]

    async def _index(self, _: Receive) -> dict[str, Any]:
        return {"service": self._service.name, "version": self._service.version, "paths": self._paths()}

    async def _configuration(self, _: Receive) -> dict[str, Any]:
        settings = self._service.effective_settings
        return {"fingerprint": fingerprint(settings), "values": masked_values(settings)}

    async def _process(self, _: Receive) -> dict[str, Any]:
        service = self._service
        now = service.clock.monotonic()
        return {
            "service": service.name,
            "version": service.version,
            "platform": __version__,
            "environment": service.settings.environment,
            "phase": service.phase,
            "pid": os.getpid(),
            "requests_in_flight": self._installed.in_flight,
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "workers": [
                {
                    "name": worker.name,
                    "restart": worker.restart,
                    "running_seconds": None
                    if worker.running_since is None
                    else round(now - worker.running_since, 3),
                    "crashes_in_a_row": worker.crashes,
                }
                for worker in service.workers
            ],
        }

    async def _tasks(self, _: Receive) -> list[dict[str, str]]:
        return tasks()

    async def _show_levels(self, _: Receive) -> dict[str, Any]:
        return self._log_levels.document()

    async def _change_level(self, receive: Receive) -> dict[str, Any]:
        name, level, seconds = _change(await _body(receive))
        if not self._log_levels.known(name):
            raise NotFound(
                "There is no logger of this name; GET /log-levels shows some, root is always there"
            )
        if level is None:
            self._log_levels.restore(name)
        else:
            self._log_levels.change(name, level, seconds=seconds)
        return self._log_levels.document()


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


def _change(body: bytes) -> tuple[str, str | None, int]:
    try:
        document = strict_json.loads(body)
    except strict_json.StrictJsonError as error:
        raise _invalid("body", "a JSON object", f"{error}") from None
    if not isinstance(document, dict) or not document.keys() <= {"logger", "level", "seconds"}:
        raise _invalid("body", "an object of level, and perhaps logger and seconds")
    name, level = document.get("logger", "root"), document.get("level", "")
    seconds = document.get("seconds", _usual_seconds)
    if not isinstance(name, str):
        raise _invalid("body.logger", "a text")
    if level is not None and level not in levels:
        raise _invalid("body.level", f"one of {', '.join(levels)}; null for the level before")
    if type(seconds) is not int or not 0 < seconds <= longest_seconds:
        raise _invalid("body.seconds", f"a whole number above 0, at most {longest_seconds}")
    return name, level, seconds


def _invalid(location: str, expected: str, detail: str | None = None) -> InvalidRequest:
    errors = [{"location": location, "expected": expected}]
    return InvalidRequest(detail or "See errors for each place and what is expected there", errors=errors)
