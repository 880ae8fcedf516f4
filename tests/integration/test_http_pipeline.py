"""The pipeline of the HTTP client on real sockets: turns, deadline, retries, circuit, attempts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from platform_lib._deadline import Deadline, keep_to
from platform_lib.clients import HttpClient, HttpClientSettings, http_client
from platform_lib.clock import ManualClock
from platform_lib.errors import NotSent, UnknownOutcome
from platform_lib.testing import CapturedMetrics, CapturedSpans
from tests.integration.http_peer import Behaviour, Writer, answer, close, in_turn, peer, raw, reset

THREE: Mapping[str, Any] = {"retry": {"attempts": 3}}


class SkippingClock(ManualClock):
    """A clock on which nobody waits: time moves by every pause, and the pauses are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.advance(seconds)


@pytest.fixture
def clock() -> SkippingClock:
    return SkippingClock()


def client_of(
    url: str, clock: ManualClock, *, name: str = "provider", internal: bool = False, **settings: Any
) -> HttpClient:
    made = HttpClientSettings.model_validate({"url": url} | settings)
    return http_client(name, made, internal=internal, clock=clock, random=lambda: 0.5)


async def never(_writer: Writer) -> None:
    await asyncio.get_running_loop().create_future()


def unused_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("method", "key"), [("GET", None), ("HEAD", None), ("PUT", None), ("DELETE", None), ("POST", "k-1")]
)
@pytest.mark.parametrize(
    "failure", [answer(503, b""), answer(429, b""), reset, close], ids=["503", "429", "reset", "closed"]
)
async def test_what_may_be_repeated_is_repeated_until_it_succeeds(
    method: str, key: str | None, failure: Behaviour, clock: SkippingClock
) -> None:
    async with (
        peer(in_turn(failure, failure, answer(200, b""))) as it,
        client_of(it.url, clock, **THREE) as client,
    ):
        reply = await client.request(method, "/", idempotency_key=key)

    assert reply.status == 200
    assert len(it.requests) == 3
    assert clock.pauses == [0.05, 0.1]
    assert {headers.get("idempotency-key") for _, headers, _ in it.requests} == {key}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("failure", [answer(503), answer(429), close], ids=["503", "429", "closed"])
async def test_what_may_not_be_repeated_is_sent_once(
    method: str, failure: Behaviour, clock: SkippingClock
) -> None:
    async with peer(failure) as it, client_of(it.url, clock, **THREE) as client:
        with suppress(UnknownOutcome):
            await client.request(method, "/", json={})

    assert len(it.requests) == 1


async def test_without_a_setting_a_call_is_one_attempt(clock: SkippingClock) -> None:
    async with peer(answer(503)) as it, client_of(it.url, clock) as client:
        with pytest.raises(UnknownOutcome, match="http_503"):
            await client.request("GET", "/")

    assert len(it.requests) == 1


async def test_the_peers_own_pause_is_kept(clock: SkippingClock) -> None:
    busy = answer(503, b"", "Retry-After: 3\r\n")
    async with peer(in_turn(busy, answer(200))) as it, client_of(it.url, clock, **THREE) as client:
        await client.request("GET", "/")

    assert clock.pauses == [3.05]


async def test_no_attempt_begins_after_the_deadline(clock: SkippingClock) -> None:
    busy = answer(429, b"", "Retry-After: 3\r\n")
    async with (
        peer(busy) as it,
        client_of(it.url, clock, timeout=5, retry={"attempts": 10}) as client,
    ):
        reply = await client.request("GET", "/")

    assert reply.status == 429
    assert clock.pauses == [3.05]
    assert len(it.requests) == 2


async def test_each_attempt_is_a_span_and_a_repeated_one_says_so(
    clock: SkippingClock, spans: CapturedSpans
) -> None:
    async with (
        peer(in_turn(answer(503), close, answer(200))) as it,
        client_of(it.url, clock, internal=True, **THREE) as client,
    ):
        await client.request("GET", "/", operation="find")

    assert [(span.attributes or {}).get("http.request.resend_count") for span in spans] == [None, 1, 2]
    assert [(span.attributes or {}).get("error.type") for span in spans] == ["503", "connection_closed", None]
    parents = [headers["traceparent"].split("-")[2] for _, headers, _ in it.requests]
    assert len(set(parents)) == 3, "the peer sees which attempt it answers"


async def _lose_then(it_url: str, clock: SkippingClock, method: str) -> int:
    async with client_of(it_url, clock, **THREE) as client:
        reply = await client.request(method, "/", idempotency_key="k-1")
        return reply.status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("refusal", [401, 404, 409, 422, 429])
async def test_a_refusal_after_a_lost_reply_does_not_say_that_nothing_was_done(
    method: str, refusal: int, clock: SkippingClock
) -> None:
    async with peer(in_turn(close, answer(refusal))) as it:
        with pytest.raises(UnknownOutcome, match="provider: connection_closed"):
            await _lose_then(it.url, clock, method)


async def test_a_success_after_a_lost_reply_settles_the_call(clock: SkippingClock) -> None:
    async with peer(in_turn(close, answer(201))) as it:
        assert await _lose_then(it.url, clock, "POST") == 201


async def test_a_refusal_of_a_question_is_an_answer_however_often_it_was_asked(clock: SkippingClock) -> None:
    async with peer(in_turn(close, answer(404))) as it:
        assert await _lose_then(it.url, clock, "GET") == 404


@pytest.mark.parametrize("first", [close, answer(503)], ids=["lost", "503"])
async def test_a_peer_that_is_gone_after_a_lost_reply_may_have_done_the_work(
    first: Behaviour, clock: SkippingClock
) -> None:
    async def once(reader: asyncio.StreamReader, writer: Writer) -> None:
        server.close()  # from now on, connections are refused
        await reader.readuntil(b"\r\n\r\n")
        await first(writer)
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with client_of(url, clock, **THREE) as client:
        with pytest.raises(UnknownOutcome):
            await client.request("POST", "/", idempotency_key="k-1")

    assert len(clock.pauses) == 2


async def test_a_call_that_never_left_is_not_sent_however_often_it_was_tried(clock: SkippingClock) -> None:
    async with client_of(unused_url(), clock, **THREE) as client:
        with pytest.raises(NotSent, match="cannot_connect"):
            await client.request("POST", "/", idempotency_key="k-1")

    assert len(clock.pauses) == 2


async def test_the_retry_budget_bounds_the_load_on_a_peer_that_is_down(clock: SkippingClock) -> None:
    async with (
        peer(answer(429)) as it,
        client_of(it.url, clock, **THREE) as client,
    ):
        for _ in range(100):
            await client.request("GET", "/")

    assert 100 + 10 + 8 <= len(it.requests) <= 100 + 10 + 10, "a reserve, and a tenth of the calls"


async def test_an_open_circuit_fails_at_once_and_a_probe_closes_it(
    clock: SkippingClock, spans: CapturedSpans
) -> None:
    breaker = {"min_attempts": 3, "open": 5}
    async with (
        peer(in_turn(close, close, close, answer(200))) as it,
        client_of(it.url, clock, breaker=breaker) as client,
    ):
        for _ in range(3):
            with pytest.raises(UnknownOutcome):
                await client.request("POST", "/")
        with pytest.raises(NotSent) as refused:
            await client.request("POST", "/")
        assert (refused.value.peer, refused.value.reason) == ("provider", "circuit_open")
        assert len(it.requests) == len(spans) == 3, "what was not attempted is no span"
        clock.advance(5)
        for _ in range(2):
            assert (await client.request("POST", "/")).status == 200


async def test_refusals_do_not_open_the_circuit(clock: SkippingClock) -> None:
    async with peer(answer(404)) as it, client_of(it.url, clock, breaker={"min_attempts": 1}) as client:
        for _ in range(5):
            assert (await client.request("GET", "/")).status == 404

    assert len(it.requests) == 5


async def test_a_circuit_that_opens_between_attempts_leaves_the_last_outcome(clock: SkippingClock) -> None:
    async with (
        peer(close) as it,
        client_of(it.url, clock, breaker={"min_attempts": 2}, **THREE) as client,
    ):
        with pytest.raises(UnknownOutcome, match="connection_closed"):
            await client.request("POST", "/", idempotency_key="k-1")

    assert len(it.requests) == 2


async def test_a_cancelled_probe_leaves_its_place_to_the_next(clock: SkippingClock) -> None:
    probed = asyncio.Event()

    async def never_again(writer: Writer) -> None:
        probed.set()
        await never(writer)

    async with (
        peer(in_turn(close, never_again, answer(200))) as it,
        client_of(it.url, clock, breaker={"min_attempts": 1, "open": 5}) as client,
    ):
        with pytest.raises(UnknownOutcome):
            await client.request("GET", "/")
        clock.advance(5)
        probe = asyncio.create_task(client.request("GET", "/"))
        await probed.wait()
        probe.cancel()
        await asyncio.wait({probe})

        assert (await client.request("GET", "/")).status == 200


async def test_one_slow_attempt_does_not_use_up_the_call(clock: SkippingClock) -> None:
    async with (
        peer(in_turn(never, answer(200))) as it,
        client_of(it.url, clock, attempt_timeout=0.2, **THREE) as client,
    ):
        assert (await client.request("GET", "/")).status == 200

    assert len(it.requests) == 2


async def test_a_call_waits_for_its_turn_and_fails_as_not_sent_without_one(clock: SkippingClock) -> None:
    go_on = asyncio.Event()
    arrivals: asyncio.Queue[None] = asyncio.Queue()

    async def wait(writer: Writer) -> None:
        arrivals.put_nowait(None)
        await go_on.wait()
        await answer(200)(writer)

    async with (
        peer(wait) as it,
        client_of(it.url, clock, max_concurrent=2, max_wait=0) as impatient,
        client_of(it.url, clock, max_concurrent=2, max_wait=5) as patient,
    ):
        for client in (impatient, patient):
            it.requests.clear()
            go_on.clear()
            calls = [asyncio.create_task(client.request("GET", "/")) for _ in range(3)]
            for _ in range(2):
                await arrivals.get()
            if client is impatient:
                with pytest.raises(NotSent, match="provider: too_many_calls"):
                    await calls[2]
            assert len(it.requests) == 2
            go_on.set()
            done = await asyncio.gather(*calls, return_exceptions=True)
            assert sum(isinstance(reply, NotSent) for reply in done) == (client is impatient)


async def test_a_call_keeps_to_the_deadline_of_the_work_it_is_part_of(clock: SkippingClock) -> None:
    async with peer(never) as it, client_of(it.url, clock, breaker={"min_attempts": 1}) as client:
        with keep_to(Deadline.after(0.2, clock)), pytest.raises(UnknownOutcome, match="timeout"):
            await client.request("GET", "/")
        clock.advance(0.3)
        with keep_to(Deadline.after(0, clock)), pytest.raises(NotSent, match="deadline_passed"):
            await client.request("GET", "/")
        with keep_to(Deadline.after(0.2, clock)), pytest.raises(UnknownOutcome, match="timeout"):
            await client.request("GET", "/")  # hurry is the caller's matter: the circuit stayed closed

    assert len(it.requests) == 2


async def test_a_longer_deadline_around_the_call_does_not_lengthen_it(clock: SkippingClock) -> None:
    async with peer(never) as it, client_of(it.url, clock, timeout=0.2) as client:
        with keep_to(Deadline.after(3600, clock)), pytest.raises(UnknownOutcome, match="timeout"):
            await client.request("GET", "/")


async def test_an_internal_peer_learns_how_long_the_attempt_may_take(clock: SkippingClock) -> None:
    busy = answer(503, b"", "Retry-After: 3\r\n")
    async with (
        peer(in_turn(busy, answer(200))) as it,
        client_of(it.url, clock, internal=True, timeout=8, attempt_timeout=6, **THREE) as client,
    ):
        await client.request("GET", "/", headers={"deadline-budget": "99999"})

    assert [headers["deadline-budget"] for _, headers, _ in it.requests] == ["6000", "4950"]


async def test_a_peer_outside_learns_nothing_of_the_deadline(clock: SkippingClock) -> None:
    async with peer(answer(200)) as it, client_of(it.url, clock) as client:
        await client.request("GET", "/", headers={"Deadline-Budget": "99999"})

    assert "deadline-budget" not in it.requests[0][1]


async def test_attempts_retries_and_the_circuit_are_measured(
    clock: SkippingClock, metrics: CapturedMetrics
) -> None:
    circuit = "platform.http.client.circuit_breaker.state"
    breaker = {"min_attempts": 4, "open": 5}
    async with (
        peer(in_turn(answer(503), answer(200), close, close, answer(200))) as it,
        client_of(it.url, clock, breaker=breaker, name="metered", **THREE) as client,
    ):
        await client.request("GET", "/")
        assert metrics.value(circuit, {"peer": "metered"}) == 0
        with pytest.raises(UnknownOutcome):
            await client.request("GET", "/")
        assert metrics.value(circuit, {"peer": "metered"}) == 2
        with pytest.raises(NotSent, match="circuit_open"):
            await client.request("GET", "/")
        clock.advance(5)
        assert metrics.value(circuit, {"peer": "metered"}) == 1
        await client.request("GET", "/")
        assert metrics.value(circuit, {"peer": "metered"}) == 0
        port = int(it.url.rpartition(":")[2])

    duration = "http.client.request.duration"
    where = {"http.request.method": "GET", "server.address": "127.0.0.1", "server.port": port}
    assert metrics.count(duration, where) == len(it.requests)
    assert metrics.count(duration, {"http.response.status_code": 503, "error.type": "503"}) == 1
    assert metrics.count(duration, {"error.type": "connection_closed"}) == 2
    assert metrics.value("platform.http.client.retries", {"peer": "metered", "error.type": "503"}) == 1
    assert metrics.value("platform.http.client.retries", {"peer": "metered"}) == 2
    assert metrics.value("platform.http.client.rejections") == 1
    assert (
        metrics.value("platform.http.client.rejections", {"peer": "metered", "reason": "circuit_open"}) == 1
    )


async def test_calls_under_way_and_waits_for_a_turn_are_measured(
    clock: SkippingClock, metrics: CapturedMetrics
) -> None:
    go_on, arrived = asyncio.Event(), asyncio.Event()

    async def wait(writer: Writer) -> None:
        arrived.set()
        await go_on.wait()
        await answer(200)(writer)

    async with (
        peer(wait) as it,
        client_of(it.url, clock, name="narrow", max_concurrent=1, max_wait=5) as client,
        client_of(it.url, clock, name="impatient", max_concurrent=1, max_wait=0) as impatient,
    ):
        at = {"server.port": int(it.url.rpartition(":")[2])}
        first = asyncio.create_task(client.request("GET", "/"))
        other = asyncio.create_task(impatient.request("GET", "/"))
        await arrived.wait()
        second = asyncio.create_task(client.request("POST", "/"))
        with pytest.raises(NotSent, match="too_many_calls"):
            await impatient.request("GET", "/")
        assert metrics.value("http.client.active_requests", at | {"http.request.method": "GET"}) == 2
        assert metrics.series("http.client.active_requests", at | {"http.request.method": "POST"}) == []
        go_on.set()
        await asyncio.gather(first, second, other)
        assert metrics.value("http.client.active_requests", at) == 0

    assert metrics.count("platform.http.client.limiter.wait_time", {"peer": "narrow"}) == 1
    assert metrics.count("platform.http.client.limiter.wait_time", {"peer": "impatient"}) == 0
    rejected = {"peer": "impatient", "reason": "too_many_calls"}
    assert metrics.value("platform.http.client.rejections", rejected) == 1


async def test_a_cancelled_attempt_is_measured_as_one(clock: SkippingClock, metrics: CapturedMetrics) -> None:
    arrived = asyncio.Event()

    async def hang(writer: Writer) -> None:
        arrived.set()
        await never(writer)

    async with peer(hang) as it, client_of(it.url, clock) as client:
        call = asyncio.create_task(client.request("GET", "/"))
        await arrived.wait()
        call.cancel()
        await asyncio.wait({call})
        at = {"server.port": int(it.url.rpartition(":")[2])}
        assert metrics.value("http.client.active_requests", at) == 0

    cancelled = {"error.type": "asyncio.exceptions.CancelledError"}
    assert metrics.count("http.client.request.duration", {**at, **cancelled}) == 1


@pytest.mark.parametrize(
    ("method", "attributes"),
    [
        ("get", {"http.request.method": "GET"}),
        ("PURGE", {"http.request.method": "_OTHER", "http.request.method_original": "PURGE"}),
    ],
)
async def test_an_attempt_says_who_answered_and_how(
    method: str, attributes: dict[str, str], clock: SkippingClock, spans: CapturedSpans
) -> None:
    """The connection that is used again says so as well as a new one."""
    async with peer(answer(200)) as it, client_of(it.url, clock) as client:
        for _ in range(2):
            await client.request(method, "/v1/things")
    port = int(it.url.rpartition(":")[2])

    for span in spans:
        assert dict(span.attributes or {}) == {
            **attributes,
            "http.response.status_code": 200,
            "network.peer.address": "127.0.0.1",
            "network.peer.port": port,
            "network.protocol.version": "1.1",
            "server.address": "127.0.0.1",
            "server.port": port,
            "url.full": f"{it.url}/v1/things",
        }


async def test_an_attempt_that_reached_nobody_says_only_where_it_went(
    clock: SkippingClock, spans: CapturedSpans
) -> None:
    async with client_of(unused_url(), clock) as client:
        with pytest.raises(NotSent):
            await client.request("GET", "/")

    (span,) = spans
    assert not {"network.peer.address", "http.response.status_code"} & set(span.attributes or {})
    assert (span.attributes or {})["error.type"] == "cannot_connect"


async def test_a_reply_that_broke_off_has_the_status_that_came(
    clock: SkippingClock, spans: CapturedSpans, metrics: CapturedMetrics
) -> None:
    cut_off = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    async with peer(cut_off) as it, client_of(it.url, clock) as client:
        with pytest.raises(UnknownOutcome):
            await client.request("GET", "/")

    (span,) = spans
    broken = {"http.response.status_code": 200, "error.type": "connection_closed"}
    assert broken.items() <= dict(span.attributes or {}).items()
    assert metrics.count("http.client.request.duration", broken) == 1
