"""An installed application: lifespan, probes, drain, last resort and body limit, under any ASGI framework."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import httpx2
import pytest

from platform_lib import ManualClock, Refusal
from platform_lib.service import ASGIApp, Message, Receive, Scope, Send, ServerSettings, Service
from tests.unit.service.driving import (
    Lifespan,
    Recorder,
    ShopSettings,
    Told,
    answering,
    client,
    say_hello,
    settle,
)

hello = answering(say_hello)


def shop(
    *, environment: Literal["development", "test", "production"] = "test", max_body_bytes: int = 10
) -> Service:
    settings = ShopSettings(environment=environment, http=ServerSettings(max_body_bytes=max_body_bytes))
    return Service("shop", settings, clock=ManualClock())


def problem_of(response: httpx2.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document = response.json()
    assert document["status"] == response.status_code
    return str(document["code"])


async def test_the_lifespan_starts_and_stops_the_service() -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))

    async with client(service.install(hello)) as http:
        assert story == ["open database"]
        assert (await http.get("/")).text == "0"

    assert story == ["open database", "close database"]


async def test_the_lifespan_of_the_application_runs_inside_that_of_the_service() -> None:
    story: list[str] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        for word in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{word}"
            story.append(f"application {word}")
            await send({"type": f"lifespan.{word}.complete"})

    service = shop()
    service.resource("database", Recorder("database", story))
    async with client(service.install(app)):
        pass

    assert story == ["open database", "application startup", "application shutdown", "close database"]


async def test_a_service_that_was_started_by_serve_is_left_alone_by_the_lifespan() -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))
    await service.start()

    async with client(service.install(hello)):
        pass
    assert story == ["open database"]

    await service.stop()


async def test_a_lifespan_that_is_given_up_ends_the_application_s_own_and_closes_the_resources() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            story.append("application gone")

    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))
    lifespan = Lifespan(service.install(app))
    await lifespan.startup()

    lifespan.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lifespan.task
    await settle()

    assert sorted(story) == ["application gone", "close database", "open database"]


async def test_a_failed_start_is_reported_to_the_server_with_its_reason() -> None:
    service = shop()
    service.resource("database", Recorder("database", [], fails="open"))
    installed = service.install(hello)

    answer = await Lifespan(installed).startup()

    assert answer == {
        "type": "lifespan.startup.failed",
        "message": "database: could not be opened: Told: database was told to fail",
    }
    assert installed.failure == answer["message"]


async def test_an_application_that_cannot_start_closes_the_resources_again() -> None:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no coffee"})

    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))

    answer = await Lifespan(service.install(app)).startup()

    assert answer["type"] == "lifespan.startup.failed"
    assert answer["message"] == "the application's lifespan.startup failed: no coffee"
    assert story == ["open database", "close database"]


@pytest.fixture
async def failing_dependency() -> AsyncIterator[httpx2.AsyncClient]:
    async def broken() -> None:
        raise ConnectionRefusedError("postgres://app:hunter2@db:5432")

    service = shop()
    service.check("database", broken, criticality="critical")
    async with client(service.install(hello)) as http:
        yield http


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/readyz", 503), ("/startupz", 503)])
async def test_a_broken_database_fails_readiness_and_not_liveness(
    failing_dependency: httpx2.AsyncClient, path: str, status: int
) -> None:
    response = await failing_dependency.get(path)

    assert response.status_code == status
    assert response.json() == {"status": "pass" if status == 200 else "fail"}
    assert response.headers["cache-control"] == "no-store"


async def test_a_probe_tells_details_outside_of_production(failing_dependency: httpx2.AsyncClient) -> None:
    document = (await failing_dependency.get("/readyz?verbose")).json()

    assert document["checks"]["database"] == {
        "status": "fail",
        "criticality": "critical",
        "reason": "ConnectionRefusedError",
        "age_seconds": 0,
    }


async def test_a_probe_tells_no_details_in_production() -> None:
    service = shop(environment="production")
    service.resource("database", Recorder("database", []))

    async with client(service.install(hello)) as http:
        assert (await http.get("/readyz?verbose")).json() == {"status": "pass"}


async def test_a_probe_answers_head_without_a_body_and_refuses_other_methods() -> None:
    async with client(shop().install(hello)) as http:
        head = await http.head("/readyz")
        assert (head.status_code, head.content) == (200, b"")

        post = await http.post("/readyz")
        assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")
        assert problem_of(post) == "method_not_allowed"


async def test_while_draining_readiness_fails_and_work_is_done_with_connection_close() -> None:
    service = shop()
    async with client(service.install(hello)) as http:
        before = await http.get("/")
        assert "connection" not in before.headers

        service.begin_drain()

        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/livez")).status_code == 200
        after = await http.get("/")
        assert (after.status_code, after.headers["connection"]) == (200, "close")


async def test_requests_in_flight_are_counted_and_probes_are_not() -> None:
    counted: list[int] = []
    service = shop()

    async def count(scope: Scope, receive: Receive, send: Send) -> None:
        counted.append(installed.in_flight)
        await say_hello(scope, receive, send)

    installed = service.install(answering(count))
    async with client(installed) as http:
        await http.get("/readyz")
        await asyncio.gather(http.get("/"), http.get("/"))

    assert max(counted) >= 1
    assert installed.in_flight == 0


def raising(error: BaseException, *, after_start: bool = False) -> ASGIApp:
    async def fail(_scope: Scope, _receive: Receive, send: Send) -> None:
        if after_start:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return answering(fail)


async def test_an_error_nobody_handled_is_a_problem_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = shop()
    async with client(service.install(raising(Told("card 4111 1111 1111 1111")))) as http:
        response = await http.get("/payments")

    assert response.status_code == 500
    assert problem_of(response) == "internal_error"
    assert "4111" not in response.text
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "unhandled Told in GET /payments",
        "GET /payments 500",
    ]


async def test_a_problem_is_answered_under_any_framework(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Refusal("It was refunded on Monday", payment="p-1", headers={"X-Why": "refunded"})

    async with client(shop().install(raising(refusal))) as http:
        response = await http.get("/payments")

    assert (response.status_code, problem_of(response)) == (409, "refused")
    assert (response.json()["payment"], response.headers["x-why"]) == ("p-1", "refunded")
    assert "unhandled" not in caplog.text


async def test_an_error_after_the_response_began_is_logged_and_not_answered_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    service = shop()
    await service.install(raising(Told(), after_start=True))(
        {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}, receive, send
    )

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert "unhandled Told" in caplog.text


async def test_a_request_cut_off_by_the_stop_is_told_to_come_again() -> None:
    service = shop()
    installed = service.install(raising(asyncio.CancelledError()))
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(asyncio.CancelledError):
        await installed(scope, receive, send)

    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]


@pytest.mark.parametrize("size", [0, 1, 10])
async def test_a_body_within_the_limit_reaches_the_application(size: int) -> None:
    async with client(shop().install(hello)) as http:
        response = await http.post("/", content=b"x" * size)

    assert (response.status_code, response.text) == (200, str(size))


async def test_a_body_announced_as_too_large_is_not_read() -> None:
    reached = False

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        nonlocal reached
        reached = True

    async with client(shop().install(answering(app))) as http:
        response = await http.post("/", content=b"x" * 11)

    assert (response.status_code, problem_of(response)) == (413, "content_too_large")
    assert response.json()["max_bytes"] == 10
    assert not reached


async def test_a_body_that_turns_out_too_large_is_refused_as_it_arrives() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 4

    async with client(shop().install(hello)) as http:
        response = await http.post("/", content=chunks())

    assert (response.status_code, problem_of(response)) == (413, "content_too_large")
