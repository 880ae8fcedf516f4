"""Background tasks: in a trace of their own, linked to the request's, and without its deadline."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI
from fastapi.responses import PlainTextResponse
from opentelemetry.sdk.trace import ReadableSpan
from starlette.background import BackgroundTask

from platform_lib._deadline import Deadline, current_deadline, keep_to
from platform_lib.clock import SystemClock
from platform_lib.frameworks.fastapi import StrictRoute, create_app
from platform_lib.service import Service
from platform_lib.telemetry import ServerSpans, client_span
from platform_lib.testing import CapturedSpans
from tests.unit.service.driving import ShopSettings, client

CARD = "4111111111111111"


async def get(path: str) -> list[Deadline | None]:
    """Ask an application with background tasks; return the deadlines they saw."""
    seen: list[Deadline | None] = []
    router = APIRouter(route_class=StrictRoute)

    async def receipt() -> None:
        seen.append(current_deadline())
        with client_span("send"):
            pass

    def report() -> None:
        seen.append(current_deadline())

    def fail() -> None:
        raise RuntimeError(f"card {CARD}")

    @router.get("/two")
    async def two(tasks: BackgroundTasks) -> str:
        tasks.add_task(receipt)
        tasks.add_task(report)
        return "later"

    @router.get("/one")
    async def one() -> PlainTextResponse:
        return PlainTextResponse("later", background=BackgroundTask(receipt))

    @router.get("/fails")
    async def fails(tasks: BackgroundTasks) -> str:
        tasks.add_task(fail)
        return "later"

    app = FastAPI()
    app.include_router(router)
    served: Any = ServerSpans(app)
    transport = httpx2.ASGITransport(app=served, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://pay.test") as http:
        with keep_to(Deadline.after(5, SystemClock())):
            assert (await http.get(path)).status_code == 200
    return seen


def links(span: ReadableSpan) -> list[int]:
    return [link.context.span_id for link in span.links]


async def test_each_task_has_a_root_span_that_is_linked_to_the_request(spans: CapturedSpans) -> None:
    await get("/two")

    assert spans.forest() == (
        "GET /two (server)\n\nbackground receipt (consumer)\n  send (client)\n\nbackground report (consumer)"
    )
    (request,) = spans.named("GET /two")
    assert request.context is not None
    for name in ("background receipt", "background report"):
        (task,) = spans.named(name)
        assert links(task) == [request.context.span_id]


async def test_a_task_given_to_the_response_is_treated_alike(spans: CapturedSpans) -> None:
    await get("/one")

    assert spans.forest() == "GET /one (server)\n\nbackground receipt (consumer)\n  send (client)"


@pytest.mark.parametrize("path", ["/one", "/two"])
async def test_nobody_waits_for_a_task_so_it_has_no_deadline(path: str) -> None:
    assert set(await get(path)) == {None}


async def test_a_task_that_fails_fails_by_itself_and_not_the_request(spans: CapturedSpans) -> None:
    await get("/fails")

    assert spans.forest() == "GET /fails (server)\n\nbackground fail (consumer) failed: RuntimeError"
    assert CARD not in "".join(span.to_json() for span in spans)


async def test_the_service_logs_a_task_that_fails_and_leaves_the_requests_span_alone(
    spans: CapturedSpans, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/fails")
    async def fails(tasks: BackgroundTasks) -> str:
        def fail() -> None:
            raise LookupError(CARD)

        tasks.add_task(fail)
        return "later"

    @router.get("/broken")
    async def broken() -> None:
        raise LookupError(CARD)

    service = Service("shop", ShopSettings())
    app = create_app(service, title="shop", version="1", routers=[router])
    async with client(service.install(app)) as http:
        assert (await http.get("/fails")).status_code == 200
        assert (await http.get("/broken")).status_code == 500

    assert caplog.messages.count("unhandled LookupError in GET /fails") == 1
    (request,), (failed,) = spans.named("GET /fails"), spans.named("GET /broken")
    assert "error.type" not in (request.attributes or {})
    assert (failed.attributes or {})["error.type"] == "LookupError"
