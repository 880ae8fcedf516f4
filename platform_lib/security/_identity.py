"""How the application learns who calls, and how what the caller claimed is kept from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_lib.service import Scope

merchant_header = b"merchant-id"
_own = ("merchant_id", "caller")


def identify(scope: Scope, *, merchant_id: str | None = None, **known: Any) -> None:
    """Put into *scope* what is known of the caller, in place of what the caller said of itself.

    The merchant is in the header ``Merchant-Id`` and in ``scope["state"]["merchant_id"]``. The scope is
    changed in place: what the router wrote into a copy, the server span would never see.
    """
    # "Merchant_Id" would become the same variable as "Merchant-Id" in a CGI-like application behind us.
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name.lower().replace(b"_", b"-") != merchant_header
    ]
    state = {name: value for name, value in (scope.get("state") or {}).items() if name not in _own}
    if merchant_id is not None:
        headers.append((merchant_header, merchant_id.encode("ascii")))
        state["merchant_id"] = merchant_id
    scope["headers"], scope["state"] = headers, {**state, **known}


def bearer(scope: Scope) -> list[str]:
    """Return the value of each Authorization header, as text."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"authorization"]
