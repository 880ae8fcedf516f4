"""FastAPI, set up the way every Paypath service has it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts

from platform_lib.errors import LawBroken
from platform_lib.frameworks._openapi import names_in, problem_responses, told_truly, told_who_may_call
from platform_lib.frameworks._problems import answer_with_problems
from platform_lib.frameworks._strict_route import RequestBody, StrictRoute, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi.telemetry import TelemetryConfig

    from platform_lib.security import Merchants
    from platform_lib.service import Service

__all__ = [
    "RequestBody",
    "StrictRoute",
    "UnsupportedMediaType",
    "create_app",
    "merchant_id",
    "problem_responses",
]

# The service makes the server span; a second one would land in a trace of its own.
_no_telemetry: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    service: Service,
    *,
    title: str,
    version: str,
    description: str = "",
    routers: Sequence[APIRouter] = (),
    merchants: Merchants | None = None,
    public: Sequence[str] = (),
) -> FastAPI:
    """Make the FastAPI application of *service* from *routers*, whose `route_class` is `StrictRoute`.

    Every error is a problem document; the OpenAPI description says so. Interactive documentation is at
    ``/docs``, in development only. Hand the result to `Service.install` or `serve`.
    With *merchants* only they may call, but for the paths in *public*; routes take who it is from
    `merchant_id`.
    Errors: ValueError for a route that would read JSON the lenient way.
    """
    app = _Application(
        title=title,
        version=version,
        description=description,
        telemetry=_no_telemetry,
        redirect_slashes=False,  # a redirected POST is a payment sent to nowhere
        docs_url="/docs" if service.settings.environment == "development" else None,
        redoc_url=None,
    )
    if merchants is not None:
        app.merchants, app.public = merchants, frozenset(public)
        documents = [path for path in (app.docs_url, app.openapi_url) if path and app.docs_url]
        app.add_middleware(merchants.guard, public=(*public, *documents))
    app.router.route_class = StrictRoute
    app.state.service = service
    answer_with_problems(app, lambda: app.vocabulary)
    for router in routers:
        _refuse_lenient_routes(router)
        app.include_router(router)
    return app


def merchant_id(request: Request) -> str:
    """Return which merchant calls: a dependency, ``Annotated[str, Depends(merchant_id)]``.

    Errors: `LawBroken` on a route that authenticates nobody.
    """
    known = request.scope.get("state", {}).get("merchant_id")
    if not isinstance(known, str):
        path = request.scope["path"]
        raise LawBroken(
            f"{path}: who calls is not known here; pass merchants= to create_app, and not this path as public"
        )
    return known


class _Application(FastAPI):
    merchants: Merchants | None = None
    public: frozenset[str] = frozenset()

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The names that the API's description uses."""
        return names_in(self.openapi())

    def openapi(self) -> dict[str, Any]:
        """Return the description, which is made once."""
        if self.openapi_schema is None:
            self.openapi_schema = told_truly(super().openapi())
            if self.merchants is not None:
                told_who_may_call(self.openapi_schema, *self.merchants.security_scheme, public=self.public)
        return self.openapi_schema


def _refuse_lenient_routes(router: APIRouter) -> None:
    for route in (context.original_route for context in iter_route_contexts(router.routes)):
        if (
            isinstance(route, APIRoute)
            and route.body_field is not None
            and not isinstance(route, StrictRoute)
        ):
            raise ValueError(
                f"{route.path}: the route reads JSON leniently (the last duplicate wins); make its "
                "router with APIRouter(route_class=StrictRoute), or opt out with app.include_router"
            )
