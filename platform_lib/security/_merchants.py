"""How a service learns which merchant calls: by API keys, or by the word of a gateway that it trusts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from platform_lib.redaction import redact
from platform_lib.security._identity import identify, merchant_header
from platform_lib.security._middleware import ApiKeys
from platform_lib.security._problems import Unauthenticated
from platform_lib.security._refusal import refuse
from platform_lib.security._store import ApiKeySettings, ListedKeys

if TYPE_CHECKING:
    from platform_lib.service import ASGIApp, Receive, Scope, Send

_merchant = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)


class MerchantSettings(ApiKeySettings):
    """How merchants are authenticated; without any setting nobody is let in."""

    authentication: Annotated[
        Literal["api_keys", "gateway"],
        Field(
            description=(
                "api_keys: by a key of the list; gateway: whoever reaches this port is believed the header "
                "Merchant-Id, so nobody but a gateway that authenticates and sets it may"
            )
        ),
    ] = "api_keys"


class GatewayMerchants:
    """ASGI middleware that takes the merchant from the header ``Merchant-Id``, which a gateway has set.

    Only for a service that nobody but that gateway can reach: it must authenticate the caller, and drop the
    header that the caller sent. A request without the header, with two, or with one of another form is
    answered 401.

    Args:
        app: what to guard.
        public: paths without a merchant: exactly these, no prefixes.
    """

    def __init__(self, app: ASGIApp, *, public: Sequence[str] = ()) -> None:
        self._app = app
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        merchant_id = None
        if scope["path"] not in self._public:
            given = [
                value.decode("latin-1") for name, value in scope["headers"] if name.lower() == merchant_header
            ]
            if len(given) != 1 or not _merchant.fullmatch(given[0]) or redact(given[0]) != given[0]:
                problem = Unauthenticated("Merchant-Id: not set once, to an id, by the gateway in front")
                await refuse(scope, receive, send, problem)
                return
            (merchant_id,) = given
        identify(scope, merchant_id=merchant_id)
        await self._app(scope, receive, send)


class Merchants:
    """The merchants who may call a service, by what its settings say.

    Hand it to `platform_lib.frameworks.fastapi.create_app`; routes take the merchant's id from the dependency
    `merchant_id` there. *test_keys* says whether keys that begin with ``pk_test_`` open anything.
    """

    def __init__(self, settings: MerchantSettings, *, test_keys: bool) -> None:
        self._authentication = settings.authentication
        self._keys = ListedKeys(settings.keys, test_keys=test_keys)

    def guard(self, app: ASGIApp, *, public: Sequence[str] = ()) -> ASGIApp:
        """Return *app* behind the authentication; *public* paths need none."""
        if self._authentication == "gateway":
            return GatewayMerchants(app, public=public)
        return ApiKeys(app, self._keys, public=public)

    def rotate(self, settings: MerchantSettings) -> None:
        """Take the keys of *settings* in place of the old ones, at once."""
        self._keys.replace(settings.keys)

    @property
    def security_scheme(self) -> tuple[str, dict[str, Any]]:
        """Return the name and the OpenAPI security scheme of how merchants show who they are."""
        if self._authentication == "gateway":
            description = (
                "Set by the gateway that authenticated the merchant; what a caller sends is dropped."
            )
            return "gateway", {
                "type": "apiKey",
                "in": "header",
                "name": "Merchant-Id",
                "description": description,
            }
        description = "The merchant's API key, `pk_live_\u2026`, as `Authorization: Bearer`."
        return "api_key", {"type": "http", "scheme": "bearer", "description": description}
