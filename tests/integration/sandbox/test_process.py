"""The life of a sandbox: its controls, how it stops, and `python -m platform_lib.sandbox` as a process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx2
import pytest

from platform_lib import ManualClock, NotStarted
from platform_lib.config import Secret
from platform_lib.sandbox import TOKENS, Sandbox, SandboxSettings
from tests.integration.sandbox.parties import (
    Caller,
    api_key,
    calling,
    euros,
    settings,
    sleepers,
    until,
)


async def test_the_state_tells_everything_and_a_reset_forgets_it(caller: Caller) -> None:
    await caller.authorise("tok_approved", "order-1")
    state = (await caller.http.get("/sandbox/state")).json()
    assert [one["operations"][0]["reference"] for one in state["authorisations"]] == ["order-1"]

    emptied = (await caller.http.post("/sandbox/reset")).json()

    assert (emptied["authorisations"], emptied["webhooks"]) == ([], [])
    assert await caller.status_of("order-1") == "absent"


async def test_the_clock_can_be_moved_over_http(caller: Caller) -> None:
    state = (await caller.http.post("/sandbox/clock/advance", json={"seconds": 90})).json()

    assert state["now"] == "2026-01-01T00:01:30.000Z"


async def test_the_machines_clock_cannot_be_moved_and_nothing_is_signed_without_a_secret() -> None:
    async with Sandbox(SandboxSettings(api_key=Secret(api_key))) as sandbox, calling(sandbox) as caller:
        moved = await caller.http.post("/sandbox/clock/advance", json={"seconds": 1})
        told = await caller.http.put("/sandbox/webhooks", json={"url": "http://127.0.0.1:1/"})

    assert (moved.status_code, moved.json()["code"]) == (409, "clock_runs_by_itself")
    assert (told.status_code, told.json()["code"]) == (409, "nothing_to_sign_with")


async def test_the_sandbox_describes_itself(caller: Caller) -> None:
    welcome = (await caller.http.get("/")).json()
    openapi = (await caller.http.get("/openapi.json")).json()

    assert list(welcome["tokens"]) == list(TOKENS)
    assert all(f"`{name}`" in openapi["info"]["description"] for name in TOKENS)
    assert "HTTPValidationError" not in json.dumps(openapi)
    assert (await caller.http.get("/docs")).status_code == 200


async def test_several_sandboxes_live_side_by_side(running: Sandbox, caller: Caller) -> None:
    async with Sandbox(settings()) as other, calling(other) as other_caller:
        await caller.authorise("tok_approved", "order-1")
        await other_caller.authorise("tok_declined", "order-1")

    assert [one.status for one in running.state.operations()] == ["approved"]
    assert [one.status for one in other.state.operations()] == ["declined"]


async def test_the_signal_handlers_of_the_process_are_left_alone() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    async with Sandbox(settings()):
        assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize("token", ["tok_slow", "tok_late"])
async def test_stopping_cuts_what_is_slow(token: str, caplog: pytest.LogCaptureFixture) -> None:
    sandbox = Sandbox(settings(), clock=ManualClock())
    async with sandbox, calling(sandbox) as caller:
        asking = asyncio.create_task(caller.authorise(token))
        await until(lambda: sleepers(sandbox))
        async with asyncio.timeout(1):
            await sandbox.__aexit__(None, None, None)
            with pytest.raises(httpx2.TransportError):
                await asking

    assert [record.message for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_stopping_leaves_nothing_running_and_the_books_readable() -> None:
    before = asyncio.all_tasks()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        async with (
            Sandbox(settings(webhook_url=address), clock=ManualClock()) as sandbox,
            calling(sandbox) as caller,
        ):
            await caller.authorise("tok_approved", "order-1")
            await sandbox.webhooks.quiet()

    assert asyncio.all_tasks() == before
    assert [one.status for one in sandbox.webhooks.deliveries] == ["abandoned"]
    assert sandbox.state.operation("order-1").status == "approved"


async def test_the_address_is_known_while_it_serves_only() -> None:
    sandbox = Sandbox(settings())
    with pytest.raises(NotStarted):
        _ = sandbox.url
    async with sandbox:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", sandbox.url)
    with pytest.raises(NotStarted):
        _ = sandbox.url


def start_process(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "platform_lib.sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_the_process_prints_its_address_first_serves_and_ends_cleanly_on_sigterm() -> None:
    with start_process("--port", "0", "--manual-clock", SANDBOX_API_KEY=api_key) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        with httpx2.Client(base_url=url, trust_env=False) as http:
            http.headers["Authorization"] = f"Bearer {api_key}"
            body = {"reference": "order-1", "amount": euros(1250), "token": "tok_approved"}
            assert http.post("/v1/authorisations", json=body).status_code == 201
            assert http.post("/sandbox/clock/advance", json={"seconds": 1}).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start_process("--port", str(port))
        _, complaint = process.communicate(timeout=20)

    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in complaint
    assert "--port 0" in complaint
    assert len(complaint.splitlines()) == 1


def test_webhooks_without_a_secret_are_said_in_one_line() -> None:
    process = start_process("--port", "0", "--webhook-url", "http://127.0.0.1:1/")
    _, complaint = process.communicate(timeout=20)

    assert process.returncode == 78
    assert "SANDBOX_WEBHOOK_SECRET" in complaint
    assert len(complaint.splitlines()) == 1


@pytest.mark.parametrize(("option", "value"), [("--port", "65536"), ("--port", "x"), ("--slow", "soon")])
def test_an_option_that_cannot_be_used_is_refused_with_what_to_write(option: str, value: str) -> None:
    process = start_process(option, value)
    _, complaint = process.communicate(timeout=20)

    assert process.returncode == 2
    assert f"argument {option}: '{value}' is no" in complaint


def test_the_help_teaches() -> None:
    process = start_process("--help")
    text, _ = process.communicate(timeout=20)

    assert process.returncode == 0
    assert all(name in text for name in TOKENS)
    assert "curl" in text
    assert "SANDBOX_WEBHOOK_SECRET" in text
    assert max(map(len, text.splitlines())) <= 120
