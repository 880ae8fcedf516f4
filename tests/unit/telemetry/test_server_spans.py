"""The server span: its names, its trust boundary, and that it is the only one."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException
from opentelemetry import baggage, trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, Router

from platform_lib.telemetry import ServerSpans, client_span, current_trace_id, traced
from platform_lib.telemetry._context import inbound_context
from platform_lib.telemetry._route import http_route
from platform_lib.telemetry._server import App
from platform_lib.testing import CapturedSpans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CARD = "4111111111111111"


class Odd:
    """A route of another framework, which looks like a mount and is none."""

    path_regex = re.compile("")
    path_format = "/odd"
    app = object()
    routes = ()


async def call(
    app: Any, method: str, path: str, headers: dict[str, str] | list[tuple[str, str]] | None = None
) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://pay.test:8080") as client:
        return await client.request(method, path, headers=headers)


def payments() -> FastAPI:
    """An application with every way that FastAPI has to put a prefix before a path."""
    inner = APIRouter()

    @inner.get("/{payment_id}")
    async def find(payment_id: str) -> str:
        if payment_id == "missing":
            raise HTTPException(404)
        if payment_id == "broken":
            raise RuntimeError(f"card {CARD}")
        return payment_id

    outer = APIRouter(prefix="/payments")
    outer.include_router(inner)

    mounted = FastAPI()

    @mounted.get("/direct/{thing}")
    async def direct(thing: str) -> str:
        return thing

    mounted.include_router(inner, prefix="/included")

    with_mount = APIRouter()
    with_mount.mount("/mounted", mounted)
    with_mount.mount("/starlette", Starlette(routes=[Route("/{name}", lambda _: PlainTextResponse("x"))]))

    app = FastAPI()
    app.include_router(outer, prefix="/api/v1")
    app.include_router(with_mount, prefix="/shop")
    app.include_router(inner, prefix="/twice")
    app.mount("/sub", mounted)
    app.mount("/tenants/{tenant}", mounted)
    app.mount("/plain", Starlette(routes=[Route("/files/{name}", lambda _: PlainTextResponse("x"))]))

    @app.get("/health/{part}")
    async def health(part: str) -> str:
        return part

    return app


ROUTES = [
    ("GET", "/api/v1/payments/p1", "/api/v1/payments/{payment_id}"),
    ("GET", "/api/v1/payments/missing", "/api/v1/payments/{payment_id}"),
    ("POST", "/api/v1/payments/p1", "/api/v1/payments/{payment_id}"),
    ("GET", "/twice/p1", "/twice/{payment_id}"),
    ("GET", "/health/db", "/health/{part}"),
    ("GET", "/sub/direct/p1", "/sub/direct/{thing}"),
    ("GET", "/sub/included/p1", "/sub/included/{payment_id}"),
    ("GET", "/tenants/shop/direct/p1", "/tenants/{tenant}/direct/{thing}"),
    ("GET", "/tenants/shop/included/p1", "/tenants/{tenant}/included/{payment_id}"),
    ("GET", "/tenants/same/direct/same", "/tenants/{tenant}/direct/{thing}"),
    ("GET", "/shop/mounted/direct/p1", "/shop/mounted/direct/{thing}"),
    ("GET", "/shop/mounted/included/p1", "/shop/mounted/included/{payment_id}"),
    ("GET", "/shop/starlette/a", "/shop/starlette/{name}"),
    ("GET", "/plain/files/a", "/plain/files/{name}"),
]


@pytest.mark.parametrize(("method", "path", "route"), ROUTES)
async def test_the_route_is_the_whole_template_wherever_it_was_declared(
    method: str, path: str, route: str, spans: CapturedSpans
) -> None:
    await call(ServerSpans(payments()), method, path)

    (span,) = spans
    assert span.name == f"{method} {route}"
    assert (span.attributes or {})["http.route"] == route


# FastAPI's own telemetry does not look into a mounted application that is not FastAPI's.
@pytest.mark.parametrize(("method", "path", "route"), [case for case in ROUTES if case[2][-6:] != "{name}"])
async def test_fastapi_itself_would_have_said_the_same_route(
    method: str, path: str, route: str, spans: CapturedSpans
) -> None:
    await call(payments(), method, path)

    server = [span for span in spans if span.kind is SpanKind.SERVER]
    assert [span.name for span in server] == [f"{method} {route}"]


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/payments", "/sub"])
async def test_a_path_without_a_route_never_becomes_a_name(path: str, spans: CapturedSpans) -> None:
    await call(ServerSpans(payments()), "GET", path)

    (span,) = spans
    assert span.name == "GET"
    assert "http.route" not in (span.attributes or {})


@pytest.mark.parametrize("routes", [[object()], [Odd()], None, 5])
def test_routes_of_another_make_are_no_fault_of_the_request(routes: object) -> None:
    scope = {"router": SimpleNamespace(routes=routes), "endpoint": object(), "path": "/", "app_root_path": ""}

    assert http_route(scope) is None


async def test_a_plain_starlette_application_has_routes_too(spans: CapturedSpans) -> None:
    nested = Router(routes=[Route("/{name}", lambda _: PlainTextResponse("x"))])
    await call(ServerSpans(Starlette(routes=[Mount("/files", nested)])), "GET", "/files/a")

    assert [span.name for span in spans] == ["GET /files/{name}"]


async def test_the_span_carries_the_stable_names_and_neither_query_nor_card_number(
    spans: CapturedSpans,
) -> None:
    await call(ServerSpans(payments()), "GET", "/api/v1/payments/p1?token=secret", {"User-Agent": "shop/1"})

    (span,) = spans
    assert span.kind is SpanKind.SERVER
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/api/v1/payments/p1",
        "network.protocol.version": "1.1",
        "server.address": "pay.test",
        "server.port": 8080,
        "client.address": "127.0.0.1",
        "user_agent.original": "shop/1",
        "http.route": "/api/v1/payments/{payment_id}",
        "http.response.status_code": 200,
    }


async def test_a_card_number_in_the_path_is_masked(spans: CapturedSpans) -> None:
    await call(ServerSpans(payments()), "GET", f"/health/{CARD}")

    (span,) = spans
    assert CARD not in span.to_json()


async def test_the_native_telemetry_of_fastapi_makes_no_second_server_span(spans: CapturedSpans) -> None:
    await call(ServerSpans(payments()), "GET", "/sub/included/p1")

    assert [span.kind for span in spans] == [SpanKind.SERVER]


async def test_the_native_telemetry_of_starlette_makes_no_second_server_span(spans: CapturedSpans) -> None:
    app = OpenTelemetryMiddleware(Starlette(routes=[Route("/", lambda _: PlainTextResponse("x"))]))
    await call(app, "GET", "/")
    alone = len(spans)
    await call(ServerSpans(app), "GET", "/")

    assert (alone, len(spans)) == (1, 2)


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_the_private_keys_of_fastapi_and_starlette_are_set_before_they_look(kind: str) -> None:
    """Private names: `FastAPI.__call__` and Starlette's `OpenTelemetryMiddleware` step aside for them."""
    seen: dict[str, object] = {}

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def nothing(*_: Any) -> Any: ...

    await ServerSpans(app)({"type": kind, "method": "GET", "path": "/", "headers": []}, nothing, nothing)

    assert seen["fastapi.telemetry"] is None
    assert seen["starlette.opentelemetry"] is True


@pytest.mark.parametrize(
    ("path", "error_type"),
    [("/api/v1/payments/missing", None), ("/api/v1/payments/broken", "RuntimeError")],
)
async def test_only_the_servers_own_failures_are_errors(
    path: str, error_type: str | None, spans: CapturedSpans
) -> None:
    await call(ServerSpans(payments()), "GET", path)

    (span,) = spans
    assert (span.status.status_code is StatusCode.ERROR) == (error_type is not None)
    assert (span.attributes or {}).get("error.type") == error_type
    assert CARD not in span.to_json()


async def test_a_handler_that_knows_the_exception_has_the_word_about_its_type(spans: CapturedSpans) -> None:
    app = FastAPI()

    @app.get("/")
    async def broken() -> None:
        raise LookupError

    @app.exception_handler(LookupError)
    async def answer(_request: Request, error: Exception) -> PlainTextResponse:
        trace.get_current_span().set_attribute("error.type", type(error).__qualname__)
        return PlainTextResponse("sorry", status_code=500)

    await call(ServerSpans(app), "GET", "/")

    assert spans.tree() == "GET / (server) failed: LookupError"


async def test_a_500_without_a_known_exception_has_its_number_as_type(spans: CapturedSpans) -> None:
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("sorry", status_code=503))])

    await call(ServerSpans(app), "GET", "/")

    assert spans.tree() == "GET / (server) failed: 503"


async def test_a_response_that_stops_half_way_is_an_error(spans: CapturedSpans) -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})

    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    await ServerSpans(half)({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)

    assert spans.tree() == "GET (server) failed: incomplete_response"


async def test_an_unknown_method_is_no_name(spans: CapturedSpans) -> None:
    await call(ServerSpans(payments()), "BREW", "/health/db")

    (span,) = spans
    assert span.name == "HTTP /health/{part}"
    assert (span.attributes or {})["http.request.method"] == "_OTHER"
    assert (span.attributes or {})["http.request.method_original"] == "BREW"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, "CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE"),
        ("", "CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE"),
        ("GET, BREW,", "BREW GET"),
    ],
)
def test_the_operator_says_which_methods_are_known(known: str | None, expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    if known is not None:
        environment["OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"] = known
    code = "from platform_lib.telemetry._request import METHODS; print(*sorted(METHODS))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)

    assert done.stdout.decode().strip() == expected


@pytest.mark.parametrize("host", ["", "[::1]", "pay.test:", ":80", "pay.test:x", "a:99999999999999"])
async def test_a_strange_host_header_breaks_nothing(host: str, spans: CapturedSpans) -> None:
    response = await call(ServerSpans(payments()), "GET", "/health/db", {"Host": host})

    assert response.status_code == 200
    assert len(spans) == 1


class TestPublicEdge:
    """A stranger's trace context is kept as a link and decides nothing."""

    async def test_the_span_is_a_root_of_its_own_with_a_link_to_the_caller(
        self, spans: CapturedSpans
    ) -> None:
        await call(ServerSpans(payments()), "GET", "/health/db", {"traceparent": f"00-{TRACE}-{SPAN}-01"})

        (span,) = spans
        assert span.parent is None
        assert spans.trace_ids() != [TRACE]
        assert [f"{link.context.trace_id:032x}" for link in span.links] == [TRACE]

    async def test_a_caller_cannot_switch_recording_off(self, spans: CapturedSpans) -> None:
        await call(ServerSpans(payments()), "GET", "/health/db", {"traceparent": f"00-{TRACE}-{SPAN}-00"})

        assert len(spans) == 1

    @pytest.mark.parametrize("malformed", ["", "nonsense", f"00-{TRACE}-{SPAN}", f"00-{'0' * 32}-{SPAN}-01"])
    async def test_a_malformed_context_is_not_even_a_link(self, malformed: str, spans: CapturedSpans) -> None:
        await call(ServerSpans(payments()), "GET", "/health/db", {"traceparent": malformed})

        (span,) = spans
        assert span.parent is None
        assert span.links == ()

    async def test_a_strangers_baggage_is_dropped(self) -> None:
        seen = await _baggage_inside(trust_inbound=False)

        assert seen == {}

    async def test_a_span_that_happens_to_be_current_is_no_parent(self, spans: CapturedSpans) -> None:
        with client_span("the test itself"):
            await call(ServerSpans(payments()), "GET", "/health/db")

        assert len(spans.trace_ids()) == 2


class TestInsideTheTrustBoundary:
    """Behind a gateway the caller's trace goes on."""

    async def test_the_span_continues_the_callers_trace(self, spans: CapturedSpans) -> None:
        app = ServerSpans(payments(), trust_inbound=True)
        await call(app, "GET", "/health/db", {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "v=1"})

        (span,) = spans
        assert span.parent is not None
        assert spans.trace_ids() == [TRACE]
        assert f"{span.parent.span_id:016x}" == SPAN
        assert span.links == ()
        context = span.get_span_context()
        assert context is not None
        assert context.trace_state.get("v") == "1"

    async def test_the_sampler_is_told_the_callers_decision(self) -> None:
        context = inbound_context(f"00-{TRACE}-{SPAN}-00")

        assert not trace.get_current_span(context).get_span_context().trace_flags.sampled

    @pytest.mark.parametrize(
        "headers",
        [
            [],
            [("traceparent", "nonsense")],
            [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("traceparent", f"00-{TRACE}-{SPAN}-01")],
        ],
        ids=["none", "malformed", "two"],
    )
    async def test_without_one_valid_context_a_new_trace_starts(
        self, headers: list[tuple[str, str]], spans: CapturedSpans
    ) -> None:
        await call(ServerSpans(payments(), trust_inbound=True), "GET", "/health/db", headers)

        (span,) = spans
        assert span.parent is None
        assert span.links == ()

    async def test_the_callers_baggage_is_kept(self) -> None:
        seen = await _baggage_inside(trust_inbound=True)

        assert seen == {"merchant": "shop"}


async def test_what_the_application_does_belongs_to_the_request(spans: CapturedSpans) -> None:
    app = FastAPI()

    @traced("send receipt")
    async def receipt() -> None: ...

    @app.get("/pay")
    async def pay(background: BackgroundTasks) -> str | None:
        background.add_task(receipt)
        with client_span("ask provider"):
            return current_trace_id()

    response = await call(ServerSpans(app), "GET", "/pay")

    assert spans.tree() == "GET /pay (server)\n  ask provider (client)\n  send receipt"
    assert response.json() == spans.trace_ids()[0]


async def test_the_span_is_current_wherever_the_application_goes(spans: CapturedSpans) -> None:
    seen: dict[str, str | None] = {}

    def note(where: str) -> None:
        seen[where] = current_trace_id()

    def dependency() -> Iterator[None]:
        note("dependency, before")
        yield
        note("dependency, after")

    app = FastAPI()

    @app.get("/thread", dependencies=[Depends(dependency)])
    def thread() -> None:
        note("thread")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for chunk in (b"a", b"b"):
                note(f"chunk {chunk.decode()}")
                yield chunk
                await asyncio.create_task(asyncio.to_thread(note, f"task behind {chunk.decode()}"))

        return StreamingResponse(chunks())

    @app.middleware("http")
    async def middleware(request: Request, call_next: Any) -> Any:
        note("middleware, before")
        response = await call_next(request)
        note("middleware, after")
        return response

    await call(ServerSpans(app), "GET", "/thread")
    first = dict(seen)
    seen.clear()
    await call(ServerSpans(app), "GET", "/stream")

    one, two = spans.trace_ids()
    assert set(first.values()) == {one}
    assert len(first) == 5
    assert set(seen.values()) == {two}
    assert len(seen) == 6
    assert current_trace_id() is None


async def test_each_request_has_one_access_line_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "platform_lib.access"):
        await call(ServerSpans(payments()), "GET", f"/api/v1/payments/p1?card={CARD}")

    (line,) = [record for record in caplog.records if record.name == "platform_lib.access"]
    assert line.getMessage() == "GET /api/v1/payments/{payment_id} 200"
    assert vars(line)["http.status"] == 200
    assert vars(line)["duration_ms"] >= 0


async def test_a_connection_that_is_no_request_passes_through(spans: CapturedSpans) -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any: ...

    wrapped: App = ServerSpans(app)
    await wrapped({"type": "lifespan"}, nothing, nothing)
    await wrapped({"type": "websocket", "path": "/", "headers": []}, nothing, nothing)

    assert seen == ["lifespan", "websocket"]
    assert len(spans) == 0


async def _baggage_inside(*, trust_inbound: bool) -> dict[str, object]:
    seen: dict[str, object] = {}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        seen.update(baggage.get_all())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    await call(ServerSpans(app, trust_inbound=trust_inbound), "GET", "/", {"baggage": "merchant=shop"})
    return seen


async def test_a_host_that_holds_a_card_number_is_masked_in_the_span(spans: CapturedSpans) -> None:
    await call(ServerSpans(payments()), "GET", "/api/v1/payments/p1", {"Host": "4539148803436467"})

    (span,) = spans
    assert (span.attributes or {})["server.address"] == "453914******6467"
