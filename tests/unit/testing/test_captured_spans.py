"""Captured spans, made with the OpenTelemetry API as the code under test makes them."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from platform_lib.testing import CapturedSpans, capture_spans

tracer = trace.get_tracer("tests")  # before any provider is set, as a module of a service would


def _pay() -> None:
    with tracer.start_as_current_span("POST /v1/payments", kind=SpanKind.SERVER):
        with tracer.start_as_current_span("authorise"):
            with tracer.start_as_current_span("claim_key", kind=SpanKind.CLIENT):
                pass
            with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT) as call:
                call.set_attribute("error.type", "timeout")
                call.set_status(Status(StatusCode.ERROR))
        with tracer.start_as_current_span("render"):
            pass


def test_a_tree_shows_parents_before_children_in_the_order_they_started(spans: CapturedSpans) -> None:
    _pay()

    assert spans.tree().splitlines() == [
        "POST /v1/payments (server)",
        "  authorise",
        "    claim_key (client)",
        "    POST (client) failed: timeout",
        "  render",
    ]


def test_spans_are_found_by_name(spans: CapturedSpans) -> None:
    _pay()

    assert [span.kind for span in spans.named("claim_key")] == [SpanKind.CLIENT]
    assert spans.named("refund") == []
    assert len(spans) == 5


def test_one_trace_refuses_two_and_shows_them(spans: CapturedSpans) -> None:
    for name in ("capture", "refund"):
        with tracer.start_as_current_span(name):
            pass

    with pytest.raises(AssertionError, match="expected one trace, captured 2\ncapture\n\nrefund"):
        spans.one_trace()
    first, second = spans.trace_ids()
    assert (spans.tree(first), spans.tree(second)) == ("capture", "refund")


def test_one_trace_refuses_none(spans: CapturedSpans) -> None:
    with pytest.raises(AssertionError, match="expected one trace, captured 0"):
        spans.tree()


def test_a_span_whose_parent_has_not_ended_stands_alone(spans: CapturedSpans) -> None:
    with tracer.start_as_current_span("parent"):
        with tracer.start_as_current_span("child"):
            pass

        assert spans.tree() == "child"


async def test_spans_of_concurrent_work_are_ordered_by_their_start(spans: CapturedSpans) -> None:
    first_may_end = asyncio.Event()

    async def first() -> None:
        with tracer.start_as_current_span("first"):
            await first_may_end.wait()

    async def second() -> None:
        with tracer.start_as_current_span("second"):
            first_may_end.set()

    with tracer.start_as_current_span("both"):
        await asyncio.gather(first(), second())

    assert spans.tree() == "both\n  first\n  second"


def test_what_ended_before_or_after_is_not_captured() -> None:
    with tracer.start_as_current_span("after"), capture_spans() as captured:
        _pay()

    with tracer.start_as_current_span("later"):
        pass
    assert len(captured) == 5
    assert captured.named("after") == []


def test_clear_forgets(spans: CapturedSpans) -> None:
    _pay()
    spans.clear()
    with tracer.start_as_current_span("after"):
        pass

    assert spans.tree() == "after"
