"""W3C Trace Context level 2, row by row; each row names the section that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext
from opentelemetry.trace.span import TraceState

from platform_lib.telemetry import (
    ServerSpans,
    client_span,
    outbound_headers,
    parse_traceparent,
    remote_parent,
)
from platform_lib.telemetry._context import inbound_context
from platform_lib.telemetry._request import wanted_headers
from platform_lib.telemetry._trace_state import parse_tracestate, sent_tracestate
from platform_lib.testing import CapturedSpans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
KEY_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@"
VALUE_LETTERS = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")


def written(context: SpanContext | None) -> str | None:
    if context is None:
        return None
    return f"{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


IDS = f"{TRACE}-{SPAN}"

TRACEPARENT_ROWS: list[tuple[str, str, str | None]] = [
    ("traceparent Header Field Values: a sampled parent", GOOD, f"{IDS}-01"),
    ("traceparent Header Field Values: a parent that is not sampled", f"00-{IDS}-00", f"{IDS}-00"),
    ("traceparent Header Field Values: nothing at all", "", None),
    ("traceparent Header Field Values: a version without the rest", "00", None),
    ("traceparent Header Field Values: upper case", GOOD.upper(), None),
    ("traceparent Header Field Values: another separator", GOOD.replace("-", "_"), None),
    ("traceparent Header Field Values: digits of another script", f"00-{TRACE[:-1]}\u0661-{SPAN}-01", None),
    ("version: version 00 with a full stop after it", f"{GOOD}.", None),
    ("version: version 00 with a field after it", f"{GOOD}-what-comes", None),
    ("version: version 00 with an empty field after it", f"{GOOD}-", None),
    ("version: version ff", f"ff-{IDS}-01", None),
    ("version: a version that is no number", f".0-{IDS}-01", None),
    ("version: the same at its end", f"0.-{IDS}-01", None),
    ("version: a sign is no digit", f"+0-{IDS}-01", None),
    ("version: a prefix is no digit", f"0x-{IDS}-01", None),
    ("version: a version of one digit", f"0-{IDS}-01", None),
    ("version: a version of three digits", f"000-{IDS}-01", None),
    ("trace-id: a trace id of zeros", f"00-{'0' * 32}-{SPAN}-01", None),
    ("trace-id: a trace id of 31 digits", f"00-{TRACE[1:]}-{SPAN}-01", None),
    ("trace-id: a trace id of 33 digits", f"00-{TRACE}0-{SPAN}-01", None),
    ("trace-id: a trace id with a full stop", f"00-.{TRACE[1:]}-{SPAN}-01", None),
    ("parent-id: a parent id of zeros", f"00-{TRACE}-{'0' * 16}-01", None),
    ("parent-id: a parent id of 15 digits", f"00-{TRACE}-{SPAN[1:]}-01", None),
    ("parent-id: a parent id of 17 digits", f"00-{TRACE}-{SPAN}0-01", None),
    ("parent-id: a parent id with a full stop", f"00-{TRACE}-{SPAN[:-1]}.-01", None),
    ("trace-flags: no flags", f"00-{IDS}", None),
    ("trace-flags: flags of one digit", f"00-{IDS}-1", None),
    ("trace-flags: flags of three digits", f"00-{IDS}-001", None),
    ("trace-flags: flags that are no digits", f"00-{IDS}-.0", None),
    ("Sampled flag: sampled among flags of others", f"00-{IDS}-09", f"{IDS}-01"),
    ("Random Trace ID flag: a random trace id", f"00-{IDS}-02", f"{IDS}-02"),
    ("Random Trace ID flag: sampled and random", f"00-{IDS}-03", f"{IDS}-03"),
    ("Other Flags: unknown flags are zero from here on", f"00-{IDS}-fc", f"{IDS}-00"),
    ("Other Flags: every flag", f"00-{IDS}-ff", f"{IDS}-03"),
    ("Versioning of traceparent: a later version as we know it", f"cc-{IDS}-01", f"{IDS}-01"),
    ("Versioning of traceparent: a later version with a field more", f"cc-{IDS}-01-what-comes", f"{IDS}-01"),
    ("Versioning of traceparent: a later version with an empty field more", f"01-{IDS}-01-", f"{IDS}-01"),
    ("Versioning of traceparent: a later version with something else more", f"cc-{IDS}-01.what-comes", None),
    ("Versioning of traceparent: a later version that is too short", f"cc-{IDS}", None),
    ("Versioning of traceparent: a later version with ids of zeros", f"cc-{'0' * 32}-{SPAN}-01", None),
    ("Versioning of traceparent: prohibitively large", f"cc-{IDS}-01-" + "x" * 10_000, None),
    ("RFC 9110 5.5 white space before it", f" {GOOD}", f"{IDS}-01"),
    ("RFC 9110 5.5 a tab before it", f"\t{GOOD}", f"{IDS}-01"),
    ("RFC 9110 5.5 white space after it", f"{GOOD} \t", f"{IDS}-01"),
    ("RFC 9110 5.5 a line break is none of it", f"{GOOD}\n", None),
]


@pytest.mark.parametrize(
    ("header", "expected"), [row[1:] for row in TRACEPARENT_ROWS], ids=[row[0] for row in TRACEPARENT_ROWS]
)
def test_a_traceparent_is_read_as_the_recommendation_has_it(header: str, expected: str | None) -> None:
    assert written(parse_traceparent(header)) == expected


def numbered(count: int) -> str:
    return ",".join(f"bar{number:02}={number:02}" for number in range(1, count + 1))


ALL_32 = {f"bar{number:02}": f"{number:02}" for number in range(1, 33)}

# None: the whole list is discarded.
TRACESTATE_ROWS: list[tuple[str, list[str], dict[str, str] | None]] = [
    ("list: two members", ["foo=1,bar=2"], {"foo": "1", "bar": "2"}),
    (
        "list: white space around members",
        ["foo=1 \t , \t bar=2, \t baz=3"],
        {"foo": "1", "bar": "2", "baz": "3"},
    ),
    ("list: white space around the list", ["\t foo=1 \t"], {"foo": "1"}),
    ("list: an empty header", [""], {}),
    ("list: empty members", [",foo=1, ,\t,bar=2,"], {"foo": "1", "bar": "2"}),
    ("list: an empty header after one", ["foo=1", ""], {"foo": "1"}),
    ("list: an empty header before one", ["", "foo=1"], {"foo": "1"}),
    ("list: 32 members", [numbered(32)], ALL_32),
    ("list: empty members do not count", [numbered(32) + "," * 40], ALL_32),
    ("list: 33 members", [numbered(33)], None),
    ("list: 33 members in two headers", [numbered(32), "more=1"], None),
    (
        "RFC 9110 5.3 several headers in their order",
        ["foo=1,bar=2", "rojo=1", "baz=3"],
        {"foo": "1", "bar": "2", "rojo": "1", "baz": "3"},
    ),
    ("list-members: a member that is no pair", ["foo=1,bar"], None),
    ("list-members: a member without a key", ["=1,foo=1"], None),
    ("Key: every letter of a key", [f"{KEY_LETTERS}=1"], {KEY_LETTERS: "1"}),
    ("Key: a key that begins with a digit", ["0foo=1"], {"0foo": "1"}),
    ("Key: a key of a tenant at a system", ["fw529a3039@dt=1"], {"fw529a3039@dt": "1"}),
    ("Key: level 2: @ at the end", ["foo@=1,bar=2"], {"foo@": "1", "bar": "2"}),
    ("Key: level 2: @ twice", ["foo@@bar=1,foo@bar@baz=2"], {"foo@@bar": "1", "foo@bar@baz": "2"}),
    ("Key: level 2: a long tenant", ["t" * 242 + "@v=1"], {"t" * 242 + "@v": "1"}),
    ("Key: level 2: a long system", ["t@" + "v" * 15 + "=1"], {"t@" + "v" * 15: "1"}),
    ("Key: a key of 256", ["foo=1", "z" * 256 + "=1"], {"foo": "1", "z" * 256: "1"}),
    ("Key: a key of 257", ["foo=1", "z" * 257 + "=1"], None),
    ("Key: @ at the beginning", ["@foo=1,bar=2"], None),
    ("Key: a dash at the beginning", ["-foo=1,bar=2"], None),
    ("Key: upper case", ["FOO=1"], None),
    ("Key: a full stop", ["foo.bar=1"], None),
    ("Key: a space between key and sign", ["foo =1"], None),
    ("Value: every letter of a value", [f"foo={VALUE_LETTERS}"], {"foo": VALUE_LETTERS}),
    ("Value: spaces before a value are part of it", ["foo=  1  "], {"foo": "  1"}),
    ("Value: a value of 256", ["foo=" + "v" * 256], {"foo": "v" * 256}),
    ("Value: a value of 257", ["foo=" + "v" * 257], None),
    ("Value: an empty value", ["foo=,bar=3"], None),
    ("Value: a value of spaces", ["foo=   "], None),
    ("Value: an equals sign in a value", ["foo=bar=baz"], None),
    ("Value: a tab in a value", ["foo=a\tb"], None),
    ("Value: a letter beyond ASCII", ["foo=\xe9"], None),
    ("Combined Header Value: a key twice", ["foo=1,foo=1"], None),
    ("Combined Header Value: a key twice with other values", ["foo=1,foo=2"], None),
    ("Combined Header Value: a key in two headers", ["foo=1", "foo=1"], None),
    ("tracestate Limits: prohibitively large", ["foo=1" + " " * 40_000], None),
]


@pytest.mark.parametrize(
    ("headers", "expected"), [row[1:] for row in TRACESTATE_ROWS], ids=[row[0] for row in TRACESTATE_ROWS]
)
def test_a_tracestate_is_read_as_the_recommendation_has_it(
    headers: list[str], expected: dict[str, str] | None
) -> None:
    state = parse_tracestate(headers)

    assert list(state.items()) == list((expected or {}).items())
    context = parse_traceparent(GOOD, ",".join(headers))
    assert context is not None, "a broken tracestate never costs the traceparent"
    assert context.trace_state == state


def test_opentelemetrys_own_reader_still_discards_what_level_2_allows() -> None:
    """When this fails, our reader can go."""
    assert len(TraceState.from_header(["foo@=1"])) == 0
    assert len(TraceState().add("0foo", "1")) == 0


@pytest.mark.parametrize("traceparent", [None, "", "nonsense", f"ff-{IDS}-01"])
def test_without_a_valid_traceparent_the_tracestate_is_not_looked_at(traceparent: str | None) -> None:
    """Tracestate Header: a vendor that failed to parse traceparent must not attempt to parse tracestate."""
    context = inbound_context(traceparent, "foo=1")

    assert trace.get_current_span(context).get_span_context().trace_state == {}


def member(key: str, length: int) -> str:
    return f"{key}=" + "v" * (length - len(key) - 1)


# Lengths of members; a comma stands between two, and 512 characters are sent.
TRUNCATION_ROWS: list[tuple[str, list[tuple[str, int]], str]] = [
    ("nothing to send", [], ""),
    ("exactly 512", [("a", 128), ("b", 128), ("c", 128), ("d", 125)], "abcd"),
    ("513: the last one goes", [("a", 128), ("b", 128), ("c", 128), ("d", 126)], "abc"),
    ("one above 128 goes first, wherever it stands", [("a", 129), ("b", 128), ("c", 128), ("d", 128)], "bcd"),
    ("one of 128 is not large", [("a", 128), ("b", 128), ("c", 129), ("d", 128)], "abd"),
    ("as few large ones as have to", [("a", 200), ("b", 200), ("c", 100), ("d", 100)], "acd"),
    ("a large one alone is sent", [("a", 400)], "a"),
    ("one that alone is too large is not", [("a", 513), ("b", 10)], "b"),
    ("large ones, then from the right", [("a", 300), *[(f"{n}", 60) for n in range(9)]], "01234567"),
]


@pytest.mark.parametrize(
    ("lengths", "left"), [row[1:] for row in TRUNCATION_ROWS], ids=[row[0] for row in TRUNCATION_ROWS]
)
def test_a_long_tracestate_is_truncated_by_whole_members(lengths: list[tuple[str, int]], left: str) -> None:
    """Tracestate Limits: first those above 128 characters, then from the end."""
    state = dict(member(key, length).split("=") for key, length in lengths)

    sent = sent_tracestate(state)

    assert len(sent) <= 512
    assert [text.partition("=")[0] for text in sent.split(",") if text] == list(left)


def test_what_is_sent_out_is_truncated_whoever_writes_it() -> None:
    long = ",".join(member(f"k{number}", 120) for number in range(8))
    with _attached(inbound_context(GOOD, long)):
        assert len(outbound_headers()["tracestate"]) == 4 * 120 + 3
        state = trace.get_current_span().get_span_context().trace_state
        assert state.to_header() == outbound_headers()["tracestate"]
        assert len(state) == 8


class TestMutation:
    """Mutating the tracestate Field: what changes moves to the left, the others keep their order."""

    def test_a_new_member_stands_leftmost(self) -> None:
        assert parse_tracestate(["foo=1,bar=2"]).add("ot", "th:8").to_header() == "ot=th:8,foo=1,bar=2"

    def test_a_changed_member_moves_to_the_left(self) -> None:
        assert parse_tracestate(["foo=1,bar=2,baz=3"]).update("bar", "4").to_header() == "bar=4,foo=1,baz=3"

    def test_in_a_full_list_the_rightmost_makes_room(self) -> None:
        state = parse_tracestate([numbered(32)]).add("ot", "1")

        assert len(state) == 32
        assert list(state)[:2] == ["ot", "bar01"]
        assert "bar32" not in state

    def test_a_member_can_be_deleted(self) -> None:
        assert parse_tracestate(["foo=1,0bar=2"]).delete("foo").to_header() == "0bar=2"
        assert parse_tracestate(["foo=1"]).delete("bar").to_header() == "foo=1"

    @pytest.mark.parametrize(("key", "value"), [("", "1"), ("Foo", "1"), ("foo", ""), ("foo", "a,b")])
    def test_an_invalid_member_changes_nothing(self, key: str, value: str) -> None:
        assert parse_tracestate(["bar=2"]).update(key, value).to_header() == "bar=2"
        assert parse_tracestate(["bar=2"]).add(key, value).to_header() == "bar=2"

    def test_a_member_that_is_there_is_not_added_again(self) -> None:
        assert parse_tracestate(["foo=1"]).add("foo", "2").to_header() == "foo=1"


class TestRandomFlag:
    """Random Trace ID flag: who makes the trace id says whether it is random, and nobody else does."""

    @pytest.mark.parametrize("flags", [0, 1, 2, 3])
    async def test_a_callers_word_is_handed_on_as_it_came(self, flags: int, spans: CapturedSpans) -> None:
        del spans  # brings the provider
        outbound = await _outbound([("traceparent", f"00-{IDS}-{flags:02x}")], trusted=True)

        assert outbound["traceparent"][-1] == str(flags)

    @pytest.mark.parametrize("flags", [0, 2])
    def test_it_is_never_invented_for_a_stored_parent(self, flags: int, spans: CapturedSpans) -> None:
        del spans
        with remote_parent(f"00-{IDS}-{flags:02x}"), client_span("the work"):
            assert outbound_headers()["traceparent"][-1] == str(flags)

    @pytest.mark.parametrize("lines", [[], [("traceparent", f"00-{IDS}-00")]])
    async def test_the_traces_that_we_begin_have_it(
        self, lines: list[tuple[str, str]], spans: CapturedSpans
    ) -> None:
        del spans
        outbound = await _outbound(lines, trusted=False)

        assert outbound["traceparent"][-1] == "3"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("traceparent", GOOD), ("traceparent", GOOD)], {b"traceparent": ""}),
        ([("traceparent", GOOD)] * 3, {b"traceparent": ""}),
        ([("tracestate", "a=1"), ("tracestate", "b=2")], {b"tracestate": "a=1,b=2"}),
        ([("baggage", "a=1"), ("x", "y"), ("baggage", "b=2")], {b"baggage": "a=1,b=2"}),
        ([("host", "one"), ("host", "two")], {b"host": "two"}),
    ],
)
def test_lines_of_a_list_are_joined_and_two_traceparents_are_none(
    lines: list[tuple[str, str]], expected: Mapping[bytes, str]
) -> None:
    headers = [(name.encode(), value.encode()) for name, value in lines]

    assert wanted_headers(headers) == expected


valid_keys = st.text(KEY_LETTERS, min_size=1, max_size=256).filter(lambda key: key[0] not in "_-*/@")
valid_values = st.text(VALUE_LETTERS, min_size=1, max_size=256).filter(lambda value: value[-1] != " ")


@given(st.dictionaries(valid_keys, valid_values, max_size=32))
def test_a_valid_tracestate_is_read_back_as_it_was(members: dict[str, str]) -> None:
    header = ",".join(f"{key}={value}" for key, value in members.items())

    assert list(parse_tracestate([header]).items()) == list(members.items())


@given(st.dictionaries(valid_keys, valid_values, max_size=40))
def test_what_is_sent_is_valid_in_order_and_short_enough(members: dict[str, str]) -> None:
    sent = sent_tracestate(members)

    again = parse_tracestate([sent])
    assert len(sent) <= 512
    assert len(again) == sent.count("=")
    assert [key for key in members if key in again] == list(again)


header_values = st.text(st.characters(max_codepoint=255), max_size=300)


@given(
    st.lists(
        st.tuples(st.sampled_from([b"traceparent", b"tracestate", b"baggage", b"host"]), header_values),
        max_size=8,
    ),
    st.booleans(),
)
@example([(b"traceparent", GOOD), (b"tracestate", "a=1,,b=\x80"), (b"baggage", "%%%=;,=")], True)  # noqa: FBT003
@settings(deadline=None)  # the first example loads what the others find
async def test_no_header_at_all_raises_changes_the_response_or_gets_anything_invalid_out(
    lines: list[tuple[bytes, str]],
    trusted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    outbound = await _outbound([(name.decode(), value) for name, value in lines], trusted=trusted)

    if outbound:
        assert parse_traceparent(outbound["traceparent"]) is not None
    state = outbound.get("tracestate", "")
    assert parse_tracestate([state]).to_header() == state
    assert outbound.get("baggage", "").isascii()
    assert outbound.get("baggage", "").isprintable()


async def _outbound(lines: list[tuple[str, str]], *, trusted: bool) -> dict[str, str]:
    """Serve a request with these headers; return what an internal peer would be sent meanwhile."""
    sent: list[Any] = []
    outbound: dict[str, str] = {}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        outbound.update(outbound_headers())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    await ServerSpans(app, trust_inbound=trusted)(scope, receive, send)

    assert [message.get("status") for message in sent] == [204, None]
    return outbound


@contextmanager
def _attached(context: Context) -> Iterator[None]:
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)
