"""Trace context in and out, by W3C Trace Context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from platform_lib.telemetry import (
    client_span,
    consumer_span,
    current_trace_id,
    current_traceparent,
    outbound_headers,
    parse_traceparent,
    remote_parent,
)
from platform_lib.telemetry._context import context_switch
from platform_lib.testing import CapturedSpans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_well_formed_traceparent_gives_its_ids_and_its_sampling_decision() -> None:
    context = parse_traceparent(GOOD, "vendor=1")

    assert context is not None
    assert f"{context.trace_id:032x}" == TRACE
    assert f"{context.span_id:016x}" == SPAN
    assert context.is_remote
    assert context.trace_flags.sampled
    assert context.trace_state.get("vendor") == "1"


def test_a_later_version_with_more_fields_is_read_as_far_as_it_is_known() -> None:
    context = parse_traceparent(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings")

    assert context is not None
    assert f"{context.span_id:016x}" == SPAN


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "00",
        GOOD.upper(),
        f" {GOOD} 00",
        f"{GOOD}\n",
        f"{GOOD}-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"00_{TRACE}_{SPAN}_01",
        f"0x-{TRACE}-{SPAN}-01",
        f"00-{TRACE[:-1]}\u0661-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 10_000,
    ],
)
def test_a_malformed_traceparent_is_no_parent(malformed: str | None) -> None:
    assert parse_traceparent(malformed) is None


@given(st.text(max_size=80))
def test_no_text_at_all_breaks_the_parser(text: str) -> None:
    parse_traceparent(text, text)


@given(
    st.integers(min_value=1, max_value=2**128 - 1),
    st.integers(min_value=1, max_value=2**64 - 1),
    st.sampled_from([0, 1, 2, 3]),
)
def test_what_is_stored_is_read_back_the_same(trace_id: int, span_id: int, flags: int) -> None:
    with remote_parent(f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"):
        stored = current_traceparent()

    assert stored == f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"


def test_outside_of_any_span_there_is_nothing_to_store_or_send() -> None:
    assert current_traceparent() is None
    assert current_trace_id() is None
    assert outbound_headers() == {}


def test_a_stored_traceparent_becomes_the_parent_of_later_work(spans: CapturedSpans) -> None:
    with client_span("the request"):
        stored = current_traceparent()
    with remote_parent(stored), consumer_span("the work"):
        pass

    assert spans.tree() == "the request (client)\n  the work (consumer)"


def test_without_a_stored_traceparent_the_work_starts_its_own_trace(spans: CapturedSpans) -> None:
    with (
        client_span("somebody else's request"),
        remote_parent("nonsense") as parent,
        consumer_span("the work"),
    ):
        pass

    assert parent is None
    assert len(spans.trace_ids()) == 2


def test_an_internal_peer_gets_the_baggage_with_the_trace(spans: CapturedSpans) -> None:
    token = otel_context.attach(baggage.set_baggage("merchant", "shop"))
    try:
        with client_span("call"):
            headers = outbound_headers()
    finally:
        otel_context.detach(token)

    assert headers["baggage"] == "merchant=shop"
    (span,) = spans
    context = span.get_span_context()
    assert context is not None
    assert headers["traceparent"] == f"00-{context.trace_id:032x}-{context.span_id:016x}-03"


def test_links_name_the_spans_that_created_a_message(spans: CapturedSpans) -> None:
    with client_span("created"):
        created = trace.get_current_span().get_span_context()
    with consumer_span("handled", links=(created,)):
        pass

    (handled,) = spans.named("handled")
    assert [link.context.span_id for link in handled.links] == [created.span_id]


@pytest.mark.parametrize("keeper", ["contextvars_context", "another_context"])
def test_the_context_is_attached_where_the_operator_keeps_it(
    keeper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Another(ContextVarsRuntimeContext):
        """A keeper of contexts that an operator chose by OTEL_PYTHON_CONTEXT."""

    if keeper == "another_context":
        monkeypatch.setattr(otel_context, "_RUNTIME_CONTEXT", Another())
    attach, detach = context_switch()

    token = attach(Context({"who": "we"}))
    inside = otel_context.get_value("who")
    detach(token)

    assert inside == "we"
    assert otel_context.get_value("who") is None
    assert (attach is otel_context.attach) is (keeper == "another_context")
