"""Trace context over real sockets: through us to an internal peer, past a public edge, never to a provider.

The rows are the cases of the recommendation's own test suite: a request comes in, a call goes out, and what
the call carries is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.sdk.resources import Resource

from platform_lib.clients.http import HttpClient, http_client
from platform_lib.telemetry import ServerSpans, TelemetrySettings, _recorder, client_span, parse_traceparent
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._sdk import tracer_provider
from platform_lib.testing import CapturedSpans
from tests.integration.http_peer import Peer, answer, peer

IDS = "12345678901234567890123456789012-1234567890123456"
GOOD = f"00-{IDS}-01"
FIELDS = ("traceparent", "tracestate", "baggage", "deadline-budget")
Lines = list[tuple[str, str]]


class Server(uvicorn.Server):
    """A server in the test's own loop."""

    def __init__(self, app: Any, protocol: Any) -> None:
        super().__init__(uvicorn.Config(app, http=protocol, log_config=None, lifespan="off", ws="none"))
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def between(
    *, trusted: bool, internal: bool = True, calls: int = 1, protocol: str = "httptools"
) -> AsyncIterator[tuple[int, Peer]]:
    """Serve an application that calls a peer for each request; give its port and the peer."""
    async with peer(answer(200)) as there, http_client("peer", there.url, internal=internal) as client:

        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            for _ in range(calls):
                await client.request("GET", "/")
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        server = Server(ServerSpans(app, trust_inbound=trusted), protocol)
        listener = socket.create_server(("127.0.0.1", 0))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening.wait()
        try:
            yield listener.getsockname()[1], there
        finally:
            server.should_exit = True
            await running


async def ask(port: int, lines: Lines) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "GET / HTTP/1.1\r\nHost: pay.test\r\nConnection: close\r\n"
    head += "".join(f"{name}:{value}\r\n" for name, value in lines)
    writer.write(head.encode("latin-1") + b"\r\n")
    status = await reader.readline()
    await reader.read()
    writer.close()
    assert b" 204 " in status


async def carried(port: int, there: Peer, lines: Lines) -> tuple[str, str]:
    """Send a request with these header lines; return `traceparent` and `tracestate` of the call it caused."""
    there.requests.clear()
    await ask(port, lines)
    ((_, headers, _),) = there.requests
    assert parse_traceparent(headers["traceparent"]) is not None
    assert headers["traceparent"][36:52] != IDS[33:], "the parent of the call is our span, not the caller's"
    return headers["traceparent"], headers.get("tracestate", "")


CONTINUED: list[tuple[str, Lines]] = [
    ("the plain case", [("traceparent", GOOD)]),
    ("a capital in the name", [("TraceParent", GOOD)]),
    ("capitals here and there", [("TrAcEpArEnT", GOOD)]),
    ("a name of capitals", [("TRACEPARENT", GOOD)]),
    ("a later version", [("traceparent", f"cc-{IDS}-01")]),
    ("a later version with more", [("traceparent", f"cc-{IDS}-01-what-comes")]),
    ("a space before", [("traceparent", f" {GOOD}")]),
    ("a tab before", [("traceparent", f"\t{GOOD}")]),
    ("a space after", [("traceparent", f"{GOOD} ")]),
    ("a tab after", [("traceparent", f"{GOOD}\t")]),
    ("white space around", [("traceparent", f"\t {GOOD} \t")]),
    ("a broken tracestate", [("traceparent", GOOD), ("tracestate", "foo=1,=,")]),
]
RESTARTED: list[tuple[str, Lines]] = [
    ("twice the same", [("traceparent", GOOD), ("traceparent", GOOD)]),
    ("two of them", [("traceparent", GOOD), ("traceparent", GOOD.replace("9012-", "9011-"))]),
    ("two names for one", [("traceparent", GOOD), ("TRACEPARENT", GOOD)]),
    ("another name", [("trace-parent", GOOD)]),
    ("a name with a full stop", [("trace.parent", GOOD)]),
    ("a full stop behind it", [("traceparent", f"{GOOD}.")]),
    ("a later version with something else", [("traceparent", f"cc-{IDS}-01.what-comes")]),
    ("version ff", [("traceparent", f"ff-{IDS}-01")]),
    ("no flags", [("traceparent", f"00-{IDS}")]),
    ("an id of zeros", [("traceparent", f"00-{IDS[:33]}{'0' * 16}-01")]),
    ("nothing in it", [("traceparent", "")]),
    ("only a tracestate", [("tracestate", "foo=1,bar=2")]),
]
WAYS = pytest.mark.parametrize("way", ["recorder", "api", "h11"], indirect=True)


def protocol_of(way: str) -> str:
    return "h11" if way == "h11" else "httptools"


@pytest.fixture(autouse=True)
def way(request: pytest.FixtureRequest, spans: CapturedSpans) -> Iterator[str]:
    """How server spans are made: by the recorder, as in production, or through the API; or h11 parses."""
    del spans  # brings the provider of all other spans
    chosen: str = getattr(request, "param", "recorder")
    if chosen == "recorder":
        provider = tracer_provider(TelemetrySettings(), Resource({}), Groups())
        assert provider.recorder is not None
        _recorder.install(provider.recorder)
    yield chosen
    _recorder.installed.recorder = None


@WAYS
async def test_a_trusted_callers_trace_goes_on(
    way: str, spans: CapturedSpans, subtests: pytest.Subtests
) -> None:
    async with between(trusted=True, protocol=protocol_of(way)) as (port, there):
        for name, lines in CONTINUED:
            spans.clear()
            with subtests.test(name):
                traceparent, tracestate = await carried(port, there, lines)

                assert traceparent[3:35] == IDS[:32]
                assert tracestate == ""
                assert spans.trace_ids() == [IDS[:32]]


@WAYS
async def test_without_one_valid_parent_a_trace_of_ours_begins(
    way: str, spans: CapturedSpans, subtests: pytest.Subtests
) -> None:
    async with between(trusted=True, protocol=protocol_of(way)) as (port, there):
        for name, lines in RESTARTED:
            spans.clear()
            with subtests.test(name):
                traceparent, tracestate = await carried(port, there, lines)

                assert traceparent[3:35] not in {IDS[:32], "0" * 32}
                assert traceparent.endswith("-03"), "sampled, and of random ids"
                assert tracestate == ""
                assert spans.trace_ids() == [traceparent[3:35]]


MANY = "".join(f"a{number}=1," for number in range(32))
LONG = f"a={'v' * 250}"
STATES: list[tuple[str, list[tuple[str, str]], str]] = [
    ("two members", [("tracestate", "foo=1,bar=2")], "foo=1,bar=2"),
    ("capitals in the name", [("TraceState", "foo=1")], "foo=1"),
    ("a name of capitals", [("TRACESTATE", "foo=1")], "foo=1"),
    ("another name", [("trace-state", "foo=1")], ""),
    ("a name with a full stop", [("trace.state", "foo=1")], ""),
    ("an empty header", [("tracestate", "")], ""),
    ("an empty header behind", [("tracestate", "foo=1"), ("tracestate", "")], "foo=1"),
    ("an empty header before", [("tracestate", ""), ("tracestate", "foo=1")], "foo=1"),
    (
        "several headers in their order",
        [("tracestate", "foo=1,bar=2"), ("x-between", "1"), ("TraceState", "a=1"), ("tracestate", "baz=3")],
        "foo=1,bar=2,a=1,baz=3",
    ),
    ("a key in two headers", [("tracestate", "foo=1"), ("tracestate", "foo=2")], ""),
    ("white space", [("tracestate", "foo=1 \t , \t bar=2, \t baz=3")], "foo=1,bar=2,baz=3"),
    ("a tab before and behind", [("tracestate", "\tfoo=1\t")], "foo=1"),
    ("an upper case key", [("tracestate", "FOO=1")], ""),
    ("letters beyond ASCII", [("tracestate", "foo=\xe9")], ""),
    ("a key of level 2", [("tracestate", "0foo@@bar@=1")], "0foo@@bar@=1"),
    ("33 members in two headers", [("tracestate", MANY), ("tracestate", "b=1")], ""),
    ("too long for all of it", [("tracestate", f"{LONG},b={'v' * 250},c=1,d=2")], f"{LONG},c=1,d=2"),
]  # fmt: skip


@WAYS
async def test_tracestate_goes_through_whole_or_not_at_all(way: str, subtests: pytest.Subtests) -> None:
    async with between(trusted=True, protocol=protocol_of(way)) as (port, there):
        for name, lines, expected in STATES:
            with subtests.test(name):
                traceparent, tracestate = await carried(port, there, [("traceparent", GOOD), *lines])

                assert traceparent[3:35] == IDS[:32]
                assert tracestate == expected


@pytest.mark.parametrize(
    ("lines", "traces"),
    [
        ([("traceparent", GOOD)], {IDS[:32]}),
        ([], None),
        ([("traceparent", f"00-{'0' * 32}-{IDS[33:]}-01")], None),
    ],
)
async def test_each_call_of_one_request_has_a_parent_of_its_own(
    lines: Lines, traces: set[str] | None, spans: CapturedSpans
) -> None:
    del spans
    async with between(trusted=True, calls=3) as (port, there):
        await ask(port, lines)

    sent = [headers["traceparent"] for _, headers, _ in there.requests]
    assert len({one[36:52] for one in sent}) == 3
    assert len({one[3:35] for one in sent}) == 1
    assert traces is None or {one[3:35] for one in sent} == traces


@WAYS
@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
async def test_a_callers_flags_are_handed_on_and_none_is_invented(flags: str, way: str) -> None:
    async with between(trusted=True, protocol=protocol_of(way)) as (port, there):
        traceparent, _ = await carried(port, there, [("traceparent", f"00-{IDS}-{flags}")])

    assert traceparent[-2:] == flags


EVERYTHING: Lines = [
    ("traceparent", f"00-{IDS}-01"),
    ("tracestate", "foo=1"),
    ("baggage", "merchant=shop"),
    ("baggage", "region=eu"),
]


async def test_baggage_of_several_lines_goes_through_inside_the_boundary(spans: CapturedSpans) -> None:
    del spans
    async with between(trusted=True) as (port, there):
        await ask(port, EVERYTHING)

    ((_, headers, _),) = there.requests
    assert headers["baggage"] == "merchant=shop,region=eu"


@WAYS
@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
async def test_past_a_public_edge_goes_nothing_of_the_callers(
    flags: str, way: str, spans: CapturedSpans
) -> None:
    lines = [("traceparent", f"00-{IDS}-{flags}"), *EVERYTHING[1:]]
    async with between(trusted=False) as (port, there):
        await ask(port, lines)

    ((_, headers, _),) = there.requests
    assert IDS[:32] not in headers["traceparent"]
    assert headers["traceparent"].endswith("-03"), "the caller's flags decide nothing"
    assert headers.keys().isdisjoint({"tracestate", "baggage"})
    if way != "recorder":  # whose spans the corpus looks at
        server = next(span for span in spans if span.parent is None)
        assert [f"{link.context.trace_id:032x}-{link.context.span_id:016x}" for link in server.links] == [IDS]


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_provider_is_told_nothing_of_our_traces(
    trusted: bool,  # noqa: FBT001  # a column of the table
    spans: CapturedSpans,
) -> None:
    async with between(trusted=trusted, internal=False) as (port, there):
        await ask(port, EVERYTHING)

    ((_, headers, _),) = there.requests
    assert headers.keys().isdisjoint(FIELDS)
    assert len(spans.trace_ids()) == 1, "and yet the call is in the trace"


def by_hand(value: str = "by hand") -> dict[str, str]:
    return {
        "Traceparent": value,
        "TRACESTATE": value,
        "Baggage": value,
        "Deadline-Budget": value,
        "X-Else": "1",
    }


@pytest.mark.parametrize("internal", [True, False])
async def test_what_is_passed_by_hand_goes_neither_to_a_provider_nor_to_anyone(
    internal: bool,  # noqa: FBT001  # a column of the table
    spans: CapturedSpans,
) -> None:
    del spans
    token = otel_context.attach(baggage.set_baggage("merchant", "shop"))
    try:
        async with peer(answer(200)) as there, _client(there, internal=internal) as client:
            with client_span("work"):
                await client.request("GET", "/", headers=by_hand())
    finally:
        otel_context.detach(token)

    ((_, headers, _),) = there.requests
    assert headers["x-else"] == "1"
    assert "by hand" not in headers.values()
    assert set(headers).intersection(FIELDS) == (
        {"traceparent", "baggage", "deadline-budget"} if internal else set()
    )


def _client(there: Peer, *, internal: bool) -> HttpClient:
    return http_client("peer", there.url, internal=internal, headers=by_hand())
