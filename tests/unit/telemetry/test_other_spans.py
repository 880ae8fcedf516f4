"""Another instrumentation of the server beside ours: refused, whichever way it came in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware as StarlettesOwn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from platform_lib.errors import LawBroken
from platform_lib.service import Service, ServiceSettings
from platform_lib.telemetry import ServerSpans, refuse_other_server_spans
from platform_lib.testing import CapturedSpans


@pytest.fixture(autouse=True)
def background_tasks_left_as_they_were() -> Iterator[None]:
    """The instrumentation wraps them for the whole process, and uninstruments them never."""
    call = BackgroundTask.__call__
    yield
    BackgroundTask.__call__ = call  # type: ignore[method-assign]  # what it did itself
    if hasattr(BackgroundTask, "_otel_original_call"):
        del BackgroundTask._otel_original_call


class ShopSettings(ServiceSettings, prefix="SHOP"):
    pass


def instrumented() -> FastAPI:
    app = FastAPI()
    FastAPIInstrumentor.instrument_app(app)
    return app


def with_middleware() -> FastAPI:
    app = FastAPI()
    app.add_middleware(OpenTelemetryMiddleware)
    return app


def of_a_patched_framework() -> Any:
    instrumentor = FastAPIInstrumentor()
    instrumentor.instrument()
    try:
        import fastapi  # noqa: PLC0415  # as patched, and not as imported above

        return fastapi.FastAPI()
    finally:
        instrumentor.uninstrument()


@pytest.mark.parametrize(
    "make",
    [
        instrumented,
        with_middleware,
        lambda: OpenTelemetryMiddleware(FastAPI()),
        lambda: Starlette(middleware=[Middleware(OpenTelemetryMiddleware)]),
        of_a_patched_framework,
    ],
    ids=["instrument_app", "add_middleware", "around", "starlette", "auto"],
)
def test_it_is_refused_when_the_application_is_installed(make: Any) -> None:
    with pytest.raises(LawBroken, match="instruments this application, which has its server spans from"):
        Service("shop", ShopSettings()).install(make())


async def test_it_is_refused_at_the_start_where_it_came_after_installing() -> None:
    app = FastAPI()
    installed = Service("shop", ShopSettings()).install(app)
    FastAPIInstrumentor.instrument_app(app)
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:  # the form of ASGI
        sent.append(message)

    await installed({"type": "lifespan"}, receive, send)

    assert sent[0]["type"] == "lifespan.startup.failed"
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=fastapi,starlette,asgi" in sent[0]["message"]


@pytest.mark.parametrize("app", [FastAPI(), Starlette(), object()])
def test_an_application_of_its_own_is_not(app: Any) -> None:
    refuse_other_server_spans(app)


def with_starlettes_own() -> Starlette:
    return Starlette(middleware=[Middleware(StarlettesOwn)], routes=[Route("/pay", _paid)])


def with_fastapis_own() -> FastAPI:
    app = FastAPI()  # on by itself once a provider is set
    app.add_api_route("/pay", lambda: "paid")
    return app


async def _paid(_: Request) -> PlainTextResponse:  # the form of Starlette
    return PlainTextResponse("paid")


@pytest.mark.parametrize("make", [with_starlettes_own, with_fastapis_own])
@pytest.mark.parametrize("around", [True, False])
async def test_what_the_frameworks_bring_themselves_makes_no_span_beside_ours(
    make: Any,
    around: bool,  # noqa: FBT001  # without ours, the control that theirs is on
    spans: CapturedSpans,
) -> None:
    app = ServerSpans(make()) if around else make()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://t") as client:
        assert (await client.get("/pay")).status_code == 200

    (span,) = [span for span in spans if span.kind is SpanKind.SERVER]
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name == "platform_lib") is around
