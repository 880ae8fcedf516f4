"""ASGI middleware that turns an access token into the caller it speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from platform_lib.errors import Problem
from platform_lib.security._identity import bearer, identify
from platform_lib.security._problems import Unauthenticated
from platform_lib.security._refusal import refuse
from platform_lib.security._tokens._issuer import realm

if TYPE_CHECKING:
    from platform_lib.security._tokens._caller import Caller
    from platform_lib.security._tokens._issuer import TokenIssuer
    from platform_lib.service import ASGIApp, Receive, Scope, Send


class AccessTokens:
    """Let only callers with a valid access token through, as ``Authorization: Bearer <JWT>``.

    The application finds the `Caller` in ``scope["state"]["caller"]`` and, where a claim names the merchant,
    its id in the header ``Merchant-Id`` and in ``scope["state"]["merchant_id"]``. What the caller sent as
    either is dropped, on every path. Everybody else gets 401, 403 or 503 as a problem document, with
    ``WWW-Authenticate`` (RFC 6750 section 3); a websocket is closed before it opens.

    Args:
        app: what to guard.
        issuer: whose tokens are taken; also registered as a resource of the service.
        public: paths without authentication: exactly these, no prefixes.
    """

    def __init__(self, app: ASGIApp, issuer: TokenIssuer, *, public: Sequence[str] = ()) -> None:
        self._app = app
        self._issuer = issuer
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._public:
            identify(scope)
        else:
            try:
                caller = await self._caller(scope)
            except Problem as problem:
                await refuse(scope, receive, send, problem)
                return
            identify(scope, merchant_id=caller.merchant_id, caller=caller)
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        sent = bearer(scope)
        if not sent:
            raise Unauthenticated(
                "Authorization: no such header; send Bearer and an access token", realm=realm
            )
        if len(sent) > 1:
            raise Unauthenticated(
                "Authorization: sent twice or more; send it once", error="invalid_request", realm=realm
            )
        scheme, _, token = sent[0].partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Authorization: send Bearer and an access token", realm=realm)
        return await self._issuer.verify(token.strip(" "))
