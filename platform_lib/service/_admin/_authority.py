"""Who may see details."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from platform_lib.errors import Problem
from platform_lib.service._problem import send_problem

if TYPE_CHECKING:
    from platform_lib.config import Secret
    from platform_lib.service._asgi import ASGIApp, Receive, Scope, Send


class NotAdmitted(Problem):
    """The admin port was asked without its token (RFC 6750 section 3)."""

    status = 401
    code = "not_admitted"
    title = "The admin port needs its token"


class WrongHost(Problem):
    """The admin port was asked under a name; a page that points its own name here could ask as well."""

    status = 421
    code = "wrong_host"
    title = "The admin port is asked by its address"


class Authority:
    """Tells whether a request comes with the admin token; *token* gives the one that holds now.

    Where there is no token nobody has authority, but for whom *otherwise* lets in.
    """

    def __init__(self, token: Callable[[], Secret | None], *, otherwise: bool = False) -> None:
        self._token = token
        self._otherwise = otherwise

    def __call__(self, scope: Scope) -> bool:
        """Return whether the request of *scope* may see details."""
        token = self._token()
        if token is None:
            return self._otherwise
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(sent) != 1:
            return False
        scheme, _, given = sent[0].decode("latin-1").partition(" ")
        return token.matches(given.strip(" ")) and scheme.lower() == "bearer"


class Guard:
    """ASGI middleware that lets only requests with authority through.

    Without a token everyone on the machine is let in, by address: a web page whose name was pointed at the
    loopback address (DNS rebinding) sends that name as its host, and is refused.
    """

    def __init__(self, app: ASGIApp, token: Callable[[], Secret | None]) -> None:
        self._app = app
        self._token = token
        self._admits = Authority(token, otherwise=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        if not self._admits(scope):
            challenge = {"WWW-Authenticate": 'Bearer realm="admin"'}
            await send_problem(
                send, NotAdmitted("Send Authorization: Bearer and admin.token", headers=challenge)
            )
        elif self._token() is None and not all(map(_is_address, _hosts(scope))):
            await send_problem(send, WrongHost("Ask by the address, such as 127.0.0.1, or set admin.token"))
        else:
            await self._app(scope, receive, send)


def _hosts(scope: Scope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]


def _is_address(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        ip_address(name)
    except ValueError:
        return name.lower() == "localhost"
    return True
