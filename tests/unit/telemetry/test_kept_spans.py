"""Spans of one batch: each says what it would have said alone."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from platform_lib.redaction import redact
from platform_lib.telemetry._endings import Kept
from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._kept_spans import Callers, kept_spans
from platform_lib.telemetry._request import redacted_path
from platform_lib.telemetry._request_span import RequestSpan

CARD = "4111111111111111"
OFFSET = 1_700_000_000_000_000_000

group = Group(("GET", "/v1/payments/{payment_id}", 200, "http", "1.1", None, 0))
callers = Callers()
texts_of_paths = st.from_regex(r"(/[a-z0-9_.-]{0,40}){0,6}", fullmatch=True)


def ended(
    path: str = "/",
    *,
    ids: bytes = bytes(24),
    moment: int = 5_000_000,
    headers: list[tuple[bytes, bytes]] | None = None,
    linked: bool = True,
) -> Kept:
    span = RequestSpan()
    span.used = False
    scope = {"headers": headers or [], "client": ("10.0.0.9", 5), "server": ("10.0.0.1", 8080)}
    return group, moment, 2_000_000, ids, span, path, callers.of(scope, span, linked=linked)


def exported(*requests: Kept) -> list[ProtoSpan]:
    return list(ScopeSpans.FromString(kept_spans(requests, OFFSET)).spans)


def attributes(span: ProtoSpan) -> dict[str, Any]:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


@given(texts_of_paths)
def test_a_path_is_redacted_as_any_other_text(path: str) -> None:
    assert redacted_path(path) == redact(path)


@given(
    st.lists(
        texts_of_paths
        | st.sampled_from([f"/v1/cards/{CARD}", "/keys/sk_live_4eC39HqLyjWDarjt", "/\udc80", ""])
        | st.text(st.characters(), max_size=20)
        | st.integers(0, 70_000).map(lambda length: "/" + "a" * length),
        min_size=1,
        max_size=8,
    )
)
@example(["/v1", "/v1\n/cards"])
def test_each_span_of_a_batch_has_its_own_path_without_secrets(paths: list[str]) -> None:
    spans = exported(*map(ended, paths))

    told = [attributes(span)["url.path"] or "" for span in spans]
    assert told == [redact(path).encode("utf-8", "replace").decode() for path in paths]
    assert [span.name for span in spans] == ["GET /v1/payments/{payment_id}"] * len(paths)


def test_each_span_of_a_batch_has_its_own_ids_and_times() -> None:
    first, second = exported(ended(ids=b"\1" * 24, moment=5_000_000), ended(ids=b"\2" * 24, moment=9_000_000))

    assert (first.trace_id, first.span_id) == (b"\1" * 16, b"\1" * 8)
    assert (second.trace_id, second.span_id) == (b"\2" * 16, b"\2" * 8)
    assert second.start_time_unix_nano == OFFSET + 7_000_000
    assert second.end_time_unix_nano == OFFSET + 9_000_000
    assert first.end_time_unix_nano == OFFSET + 5_000_000


def test_each_span_of_a_batch_names_its_own_caller() -> None:
    spans = exported(
        ended(headers=[(b"host", b"pay.test:8443"), (b"accept", b"*/*"), (b"user-agent", b"shop/1")]),
        ended(headers=[(b"user-agent", b"till/2"), (b"host", b"pay.test:8443")]),
        ended(),
    )

    told = [attributes(span) for span in spans]
    assert [each["server.address"] for each in told] == ["pay.test", "pay.test", "10.0.0.1"]
    assert [each["server.port"] for each in told] == [8443, 8443, 8080]
    assert [each.get("user_agent.original") for each in told] == ["shop/1", "till/2", None]
    assert {each["client.address"] for each in told} == {"10.0.0.9"}


def test_only_the_span_whose_caller_sent_a_trace_has_a_link() -> None:
    stranger = [(b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]

    assert [len(span.links) for span in exported(ended(), ended(headers=stranger), ended())] == [0, 1, 0]
    assert [len(span.links) for span in exported(ended(headers=stranger, linked=False))] == [0]
