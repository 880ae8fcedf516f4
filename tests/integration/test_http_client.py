"""The HTTP client on real sockets: what each way of failing says about the peer's work."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind

from platform_lib.clients import HttpClientSettings, http_client
from platform_lib.errors import NotSent, NotStarted, UnknownOutcome
from platform_lib.telemetry import client_span
from platform_lib.testing import CapturedSpans
from tests.integration.http_peer import Behaviour, Writer, answer, close, peer, raw, reset

CARD = "4111111111111111"


async def test_a_reply_is_its_status_its_headers_and_its_json() -> None:
    async with (
        peer(answer(201, b'{"id": "op_1"}', "X-Id: 7\r\n")) as it,
        http_client("provider", it.url) as client,
    ):
        reply = await client.request(
            "POST",
            "/v1/authorisations",
            json={"reference": "a", "amount": {"minor_units": 1250}},
            params={"dry": "yes"},
            headers={"X-Extra": "1"},
            idempotency_key="k-1",
        )

    assert (reply.status, reply.json(), reply.headers["x-id"]) == (201, {"id": "op_1"}, "7")
    (line, headers, body) = it.requests[0]
    assert line == "POST /v1/authorisations?dry=yes HTTP/1.1"
    assert json.loads(body) == {"reference": "a", "amount": {"minor_units": 1250}}
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "k-1"
    assert headers["x-extra"] == "1"


@pytest.mark.parametrize("status", [200, 302, 400, 404, 409, 422, 429])
async def test_an_answer_below_500_is_a_reply(status: int) -> None:
    async with peer(answer(status)) as it, http_client("provider", it.url) as client:
        reply = await client.request("GET", "/")

    assert reply.status == status
    assert len(it.requests) == 1, "neither a redirect is followed nor anything repeated"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (answer(500), "http_500"),
        (answer(503, b"", "Retry-After: 1\r\n"), "http_503"),
        (reset, "connection_reset"),
        (close, "connection_closed"),
        (raw(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": '), "connection_closed"),
        (raw(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), "connection_closed"),
        (raw(b"HTTP/1.1 201 Cre"), "connection_closed"),
        (raw(b"220 smtp.example ESMTP\r\n"), "connection_closed"),
        (answer(200, b"x" * (8 * 1024 * 1024 + 1)), "reply_too_large"),
    ],
    ids=["500", "503", "reset", "closed", "mid-body", "mid-chunk", "mid-head", "no-http", "too-large"],
)
async def test_a_reply_lost_after_the_request_was_sent_is_an_unknown_outcome(
    behave: Behaviour, reason: str
) -> None:
    async with peer(behave) as it, http_client("provider", it.url) as client:
        with pytest.raises(UnknownOutcome) as caught:
            await client.request("POST", "/v1/authorisations", json={})

    assert (caught.value.peer, caught.value.reason) == ("provider", reason)
    assert len(it.requests) == 1, "the peer saw it once: nothing is repeated behind the caller's back"


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1"], ids=["head", "body"]
)
async def test_a_peer_that_takes_too_long_is_an_unknown_outcome(first: bytes) -> None:
    async def slowly(writer: Writer) -> None:
        writer.write(first)
        await asyncio.get_running_loop().create_future()

    async with (
        peer(slowly) as it,
        http_client("provider", HttpClientSettings(url=it.url, timeout=0.2)) as client,
    ):
        with pytest.raises(UnknownOutcome) as caught:
            await client.request("POST", "/", json={})

    assert caught.value.reason == "timeout"


async def test_the_limit_is_one_for_the_whole_call_however_slowly_bytes_drip() -> None:
    dripped = 0

    async def drip(writer: Writer) -> None:
        nonlocal dripped
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for dripped in range(1000):  # noqa: B007  # counted for the assertion below
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with (
        peer(drip) as it,
        http_client("provider", HttpClientSettings(url=it.url, timeout=0.3)) as client,
    ):
        with pytest.raises(UnknownOutcome, match="timeout"):
            await client.request("GET", "/")

    assert 1 < dripped < 900


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # bound but not listening: refused for certain

        async with http_client("provider", f"http://127.0.0.1:{port}") as client:
            with pytest.raises(NotSent) as caught:
                await client.request("POST", "/", json={})

    assert str(caught.value) == "provider: cannot_connect"


async def test_a_name_that_does_not_resolve_means_that_nothing_was_sent() -> None:
    async with http_client("provider", "http://no-such-host.invalid") as client:
        with pytest.raises(NotSent, match="cannot_connect"):
            await client.request("POST", "/", json={})


async def test_a_peer_that_speaks_no_tls_means_that_nothing_was_sent() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, http_client("provider", url) as client:
        with pytest.raises(NotSent, match="cannot_connect"):
            await client.request("POST", "/", json={})


async def test_a_tls_handshake_that_hangs_means_that_nothing_was_sent_and_leaves_no_socket() -> None:
    hung_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: Writer) -> None:
        while await reader.read(1024):
            pass
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, http_client("provider", HttpClientSettings(url=url, timeout=0.3)) as client:
        with pytest.raises(NotSent, match="timeout"):
            await client.request("POST", "/", json={})
        await asyncio.wait_for(hung_up.wait(), 5)


async def test_a_connection_that_takes_too_long_to_open_means_that_nothing_was_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        # A queue of one: with two waiting, the next connection attempt gets no answer at all.
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)  # noqa: FBT003  # the signature of the standard library
            one.connect_ex(address)
        settings = HttpClientSettings(url=f"http://127.0.0.1:{address[1]}", timeout=0.3)
        async with http_client("provider", settings) as client:
            with pytest.raises(NotSent, match="timeout"):
                await client.request("POST", "/", json={})
        for one in waiting:
            one.close()


async def test_a_success_that_cannot_be_read_is_an_unknown_outcome() -> None:
    async with peer(answer(201, b'{"id": 1, "id": 2}')) as it, http_client("provider", it.url) as client:
        reply = await client.request("POST", "/")
        with pytest.raises(UnknownOutcome, match="provider: malformed_reply"):
            reply.json()


@pytest.mark.parametrize("given", [{}, {"traceparent": "00-1-2-01", "Baggage": "a=b"}], ids=["", "given"])
async def test_a_peer_outside_the_trust_boundary_learns_nothing_of_the_trace(
    given: dict[str, str], spans: CapturedSpans
) -> None:
    async with peer(answer(200)) as it, http_client("provider", it.url) as client:
        await _request_with_baggage(lambda: client.request("GET", "/", headers=given))

    assert len(spans.one_trace()) == 2
    (_, headers, _) = it.requests[0]
    assert not {"traceparent", "tracestate", "baggage"} & set(headers)


async def test_an_internal_peer_gets_the_trace_of_the_very_attempt(spans: CapturedSpans) -> None:
    async with peer(answer(200)) as it, http_client("ledger", it.url, internal=True) as client:
        await _request_with_baggage(lambda: client.request("GET", "/"))

    (_, headers, _) = it.requests[0]
    (attempt,) = spans.named("GET ledger")
    context = attempt.get_span_context()
    assert context is not None
    assert headers["traceparent"].split("-")[1:3] == [f"{context.trace_id:032x}", f"{context.span_id:016x}"]
    assert headers["baggage"] == "merchant=shop"


async def test_an_attempt_is_a_span_without_query_or_password(spans: CapturedSpans) -> None:
    async with peer(answer(200)) as it:
        url = it.url.replace("http://", "http://pay:hunter2@")
        async with http_client("provider", url) as client:
            await client.request(
                "GET", f"/v1/operations/{CARD}?x=secret", params={"reference": "r"}, operation="find"
            )

    (span,) = spans
    assert (span.name, span.kind) == ("find", SpanKind.CLIENT)
    attributes = dict(span.attributes or {})
    assert attributes["http.request.method"] == "GET"
    assert attributes["http.response.status_code"] == 200
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["server.port"] == int(it.url.rpartition(":")[2])
    text = span.to_json()
    for secret in ("hunter2", "secret", "reference", CARD):
        assert secret not in text


@pytest.mark.parametrize(
    ("behave", "error_type"),
    [(answer(404), "404"), (answer(500), "500"), (close, "connection_closed")],
)
async def test_a_failed_attempt_says_why(behave: Behaviour, error_type: str, spans: CapturedSpans) -> None:
    async with peer(behave) as it, http_client("provider", it.url) as client:
        with suppress(UnknownOutcome):
            await client.request("POST", "/", operation="capture")

    assert spans.tree() == f"capture (client) failed: {error_type}"


async def test_a_cookie_of_one_call_never_travels_with_the_next() -> None:
    behave = answer(200, headers="Set-Cookie: merchant=a; Path=/\r\n")
    async with peer(behave) as it, http_client("provider", it.url) as client:
        await client.request("GET", "/")
        await client.request("GET", "/")

    assert len(it.requests) == 2
    assert all("cookie" not in headers for _, headers, _ in it.requests)


async def test_a_connection_is_used_again() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        for _ in range(3):
            await reader.readuntil(b"\r\n\r\n")
            await answer(200)(writer)
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    async with server, http_client("p", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
        for _ in range(3):
            await client.request("GET", "/")

    assert connections == 1


async def test_a_proxy_of_the_environment_is_for_the_outside_world_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with peer(answer(200)) as proxy, peer(answer(204)) as it:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with (
            http_client("sandbox", it.url) as near,
            http_client("provider", "http://psp.invalid") as far,
        ):
            assert (await near.request("GET", "/")).status == 204
            assert (await far.request("GET", "/")).status == 200

    assert [line for line, _, _ in proxy.requests] == ["GET http://psp.invalid/ HTTP/1.1"]


async def test_headers_of_the_client_go_with_every_call() -> None:
    async with (
        peer(answer(200)) as it,
        http_client("p", it.url, headers={"Authorization": "Bearer k"}) as client,
    ):
        await client.request("GET", "/")

    assert it.requests[0][1]["authorization"] == "bearer k"


async def test_before_and_after_the_service_runs_the_client_is_not_open() -> None:
    client = http_client("provider", "http://127.0.0.1:1")

    with pytest.raises(NotStarted, match="provider"):
        await client.request("GET", "/")
    async with client:
        pass
    with pytest.raises(NotStarted):
        await client.request("GET", "/")


@pytest.mark.parametrize("path", ["v1", "http://elsewhere.test/", ""])
async def test_a_path_cannot_lead_to_another_host(path: str) -> None:
    async with http_client("provider", "http://127.0.0.1:1") as client:
        with pytest.raises(ValueError, match="does not start with a slash"):
            await client.request("GET", path)


async def test_a_header_cannot_smuggle_a_second_one() -> None:
    async with http_client("provider", "http://127.0.0.1:1") as client:
        with pytest.raises(ValueError, match="control character"):
            await client.request("GET", "/", idempotency_key="k\r\nMerchant-Id: other")


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://x", "http://", "http://pay:hunter2@"])
def test_a_base_url_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL") as caught:
        http_client("provider", url)

    assert "hunter2" not in str(caught.value)


async def _request_with_baggage(request: Callable[[], Awaitable[object]]) -> None:
    token = otel_context.attach(baggage.set_baggage("merchant", "shop"))
    try:
        with client_span("the use case"):
            await request()
    finally:
        otel_context.detach(token)
