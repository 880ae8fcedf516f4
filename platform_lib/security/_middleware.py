"""ASGI middleware that turns an API key into the merchant who owns it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from platform_lib.security._api_keys import StoredKey, public_id
from platform_lib.security._identity import bearer, identify
from platform_lib.security._problems import Unauthenticated
from platform_lib.security._refusal import refuse

if TYPE_CHECKING:
    from platform_lib.security._store import ApiKeyStore
    from platform_lib.service import ASGIApp, Receive, Scope, Send

# What an unknown key is compared with, so that it takes as long as a known one.
_nobody = StoredKey("", "", "0" * 64)


class ApiKeys:
    """Let only callers with a valid key through, as ``Authorization: Bearer pk_live_…``.

    The application reads who called from the header ``Merchant-Id``, or from
    ``scope["state"]["merchant_id"]``. What the caller sent as either is dropped, on every
    path. Everybody else gets 401 as a problem document with
    ``WWW-Authenticate``; a websocket is closed before it opens.

    Args:
        app: what to guard.
        store: where keys are looked up, with each request.
        public: paths without authentication, webhooks say that are signed: exactly these, no prefixes.
    """

    def __init__(self, app: ASGIApp, store: ApiKeyStore, *, public: Sequence[str] = ()) -> None:
        self._app = app
        self._store = store
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        merchant_id = None
        if scope["path"] not in self._public:
            try:
                merchant_id = await self._merchant(scope)
            except Unauthenticated as problem:
                await refuse(scope, receive, send, problem)
                return
        identify(scope, merchant_id=merchant_id)
        await self._app(scope, receive, send)

    async def _merchant(self, scope: Scope) -> str:
        sent = bearer(scope)
        if not sent:
            raise Unauthenticated("Authorization: no such header; send Bearer and your API key")
        if len(sent) > 1:
            raise Unauthenticated("Authorization: sent twice or more; send it once", error="invalid_request")
        scheme, _, key = sent[0].partition(" ")
        key = key.strip(" ")
        key_id = public_id(key) if scheme.lower() == "bearer" else None
        stored = await self._store.find(key_id) if key_id else None
        # Compared also when there is nothing to compare with; and a store may find more than was asked for.
        matches = (stored or _nobody).matches(key)
        if stored is None or not matches or stored.id != key_id:
            raise Unauthenticated(
                "The API key is not valid; it may have been replaced", error="invalid_token"
            )
        return stored.merchant_id
