"""An application with everything a service has around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_lib.errors import PlatformError
from platform_lib.redaction import redact
from platform_lib.service._admin import Authority
from platform_lib.service._edges import BodyLimit, InFlight, LastResort
from platform_lib.service._lifespan import InnerLifespan
from platform_lib.service._limits import HeaderLimit, InboundDeadline, LoadLimit
from platform_lib.service._probes import Probes, asked_for_details
from platform_lib.telemetry import ServerSpans, refuse_other_server_spans

if TYPE_CHECKING:
    from platform_lib.service._asgi import ASGIApp, Message, Receive, Scope, Send
    from platform_lib.service._service import Service


class Installed:
    """The ASGI application to serve; its lifespan starts and stops the service unless `serve` already did.

    Attributes:
        failure: why the last lifespan failed to start.
    """

    def __init__(self, service: Service, app: ASGIApp) -> None:
        refuse_other_server_spans(app)
        self.service = service
        self.failure = ""
        self._app = app
        http, trusted = service.settings.http, service.settings.telemetry.trust_inbound
        inner: ASGIApp = BodyLimit(app, max_bytes=http.max_body_bytes)
        if trusted:
            inner = InboundDeadline(inner, service.clock)
        limited = LoadLimit(
            HeaderLimit(inner, most=http.max_headers, max_bytes=http.max_header_bytes),
            most=http.max_in_flight,
            in_flight=lambda: self.in_flight,
        )
        traced = ServerSpans(LastResort(limited), trust_inbound=trusted)
        self._in_flight = InFlight(
            traced, service.clock, draining=lambda: service.phase in ("draining", "stopped")
        )
        may_see_details = Authority(
            lambda: service.effective_settings.admin.token,
            otherwise=service.settings.environment != "production",
        )
        self._outermost = Probes(
            self._in_flight,
            service.health,
            verbose=lambda scope: asked_for_details(scope) and may_see_details(scope),
        )

    @property
    def in_flight(self) -> int:
        """How many requests are being answered now; probes do not count."""
        return self._in_flight.count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection or one lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._outermost(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        owned = self.service.phase == "new"  # else `serve` starts and stops the service around the server
        bounds = self.service.settings.lifecycle
        inner = InnerLifespan(self._app, scope, start=bounds.start, stop=bounds.stop / 2)
        try:
            answer = await self._start(inner, owned=owned)
            if not self.failure:
                await send(answer)
                await receive()
                answer = await self._end(inner)
        finally:  # also when the one who drives the lifespan gives up on it
            inner.abandon()
            if owned:
                await self.service.stop()
        await send(answer)

    async def _start(self, inner: InnerLifespan, *, owned: bool) -> Message:
        try:
            refuse_other_server_spans(self._app)  # it may have come after the application was installed
            if owned:
                await self.service.start()
            await inner.startup()
        except Exception as error:  # noqa: BLE001  # the ASGI way to fail is a message
            self.failure = _told(error)
            return {"type": "lifespan.startup.failed", "message": self.failure}
        return {"type": "lifespan.startup.complete"}

    async def _end(self, inner: InnerLifespan) -> Message:
        try:
            await inner.shutdown()
        except PlatformError as error:
            return {"type": "lifespan.shutdown.failed", "message": _told(error)}
        return {"type": "lifespan.shutdown.complete"}


def _told(error: Exception) -> str:
    return redact(str(error) if isinstance(error, PlatformError) else f"{type(error).__name__}: {error}")
