"""The application of a service without an API: probes are the platform's, all else is 404."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_lib.errors import NotFound
from platform_lib.service._problem import send_problem

if TYPE_CHECKING:
    from platform_lib.service._asgi import Receive, Scope, Send


async def no_api(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # the shape of ASGI
    """Answer 404 to every request, as an ASGI application; hand it to `serve` in a service that only works.

    Installed on a `Service`, it has the probes `/livez`, `/readyz` and `/startupz` around it. It needs no
    framework and knows no lifespan.
    """
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])  # how ASGI says that a protocol is not known
    await send_problem(
        send, NotFound("This service has no API; its probes are /livez, /readyz and /startupz.")
    )
