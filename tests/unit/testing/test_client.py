"""The in-process client, with ASGI applications written out in full."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from platform_lib.testing import in_process_client, lifespan

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class App:
    """Notes what it is told, and in which task."""

    def __init__(self, *, failing: str | None = None) -> None:
        self.seen: list[str] = []
        self.tasks: list[object] = []
        self.failing = failing

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{phase}"
                self.seen.append(phase)
                self.tasks.append(asyncio.current_task())
                if self.failing == phase:
                    await send({"type": f"lifespan.{phase}.failed", "message": "no database"})
                    return
                await send({"type": f"lifespan.{phase}.complete"})
            return
        self.seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_requests_are_served_between_start_and_stop() -> None:
    app = App()

    async with in_process_client(app) as client:
        response = await client.get("/v1/payments")

    assert response.status_code == 204
    assert app.seen == ["startup", "/v1/payments", "shutdown"]


async def test_start_and_stop_run_in_one_task_whoever_asks() -> None:
    app = App()
    context = lifespan(app)

    await asyncio.create_task(context.__aenter__())
    await asyncio.create_task(context.__aexit__(None, None, None))

    assert app.tasks[0] is app.tasks[1]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_phase_that_fails_is_raised_with_its_message(phase: str) -> None:
    with pytest.raises(RuntimeError, match=f"application: {phase} failed: no database"):
        async with lifespan(App(failing=phase)):
            pass


async def test_an_application_that_does_not_know_the_protocol_is_fine() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        del receive, send
        assert scope["type"] == "lifespan", "lifespan is not supported"
        raise NotImplementedError

    async with lifespan(app):
        pass


async def test_an_error_inside_still_stops_the_application() -> None:
    app = App()

    with pytest.raises(ZeroDivisionError):
        async with lifespan(app):
            raise ZeroDivisionError

    assert app.seen == ["startup", "shutdown"]
