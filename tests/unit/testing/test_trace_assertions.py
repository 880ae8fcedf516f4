"""Assertions on whole traces, and traces that are equal from run to run."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from platform_lib.clock import TickingClock
from platform_lib.testing import CapturedSpans, capture_spans

tracer = trace.get_tracer("tests")


def _pay(attempt: str = "a1", *, calls: int = 1) -> None:
    with (
        tracer.start_as_current_span("POST /v1/payments", kind=SpanKind.SERVER),
        tracer.start_as_current_span("authorise payment", attributes={"attempt.id": attempt}),
    ):
        with tracer.start_as_current_span("claim_key"):
            pass
        for _ in range(calls):
            with tracer.start_as_current_span("authorise at provider"):
                pass


def test_a_path_may_skip_what_stands_between(spans: CapturedSpans) -> None:
    _pay()

    spans.assert_path("POST /v1/payments", "authorise payment", "authorise at provider")
    spans.assert_path("POST /v1/payments", "authorise at provider")
    spans.assert_path("claim_key")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("POST /v1/payments", "capture at provider"), "no 'capture at provider' below POST /v1/payments;"),
        (("capture payment",), "no 'capture payment' in any trace;"),
        (("claim_key", "authorise at provider"), "no 'authorise at provider' below claim_key;"),
        (("authorise payment", "POST /v1/payments"), "no 'POST /v1/payments' below authorise payment;"),
        (("claim_key", "claim_key"), "no 'claim_key' below claim_key;"),
    ],
)
def test_a_path_that_is_not_there_is_shown_with_the_tree(
    spans: CapturedSpans, names: tuple[str, ...], words: str
) -> None:
    _pay()

    with pytest.raises(AssertionError) as caught:
        spans.assert_path(*names)

    assert words in str(caught.value)
    assert str(caught.value).endswith(
        "captured:\nPOST /v1/payments (server)\n  authorise payment\n    claim_key\n    authorise at provider"
    )


def test_a_path_does_not_lead_from_one_trace_to_another(spans: CapturedSpans) -> None:
    for name in ("request", "answer"):
        with tracer.start_as_current_span(name):
            pass

    with pytest.raises(AssertionError, match="no 'answer' below request;"):
        spans.assert_path("request", "answer")


def test_a_path_takes_the_right_one_of_several_branches(spans: CapturedSpans) -> None:
    with tracer.start_as_current_span("request"):
        with tracer.start_as_current_span("attempt"):
            pass
        with tracer.start_as_current_span("attempt"), tracer.start_as_current_span("call"):
            pass

    spans.assert_path("request", "attempt", "call")


def test_no_path_is_found_where_nothing_was_captured(spans: CapturedSpans) -> None:
    with pytest.raises(AssertionError, match="no 'request' in any trace; captured:\nnothing"):
        spans.assert_path("request")


def test_a_path_without_names_is_a_mistake(spans: CapturedSpans) -> None:
    with pytest.raises(ValueError, match="name at least one span"):
        spans.assert_path()


def test_spans_are_counted_over_all_traces(spans: CapturedSpans) -> None:
    _pay()
    _pay("a2")

    spans.assert_count("authorise at provider", 2)
    spans.assert_count("refund at provider", 0)
    with pytest.raises(
        AssertionError, match="expected 1 of 'authorise at provider', found 2; captured:\nPOST"
    ):
        spans.assert_count("authorise at provider", 1)


def test_one_provider_call_per_attempt(spans: CapturedSpans) -> None:
    _pay()
    _pay("a2")
    spans.assert_count("authorise at provider", 1, per="attempt.id")

    _pay("a3", calls=2)
    _pay("a4", calls=0)

    with pytest.raises(AssertionError, match=r"found 2 for attempt\.id=a3, 0 for attempt\.id=a4; captured:"):
        spans.assert_count("authorise at provider", 1, per="attempt.id")


def test_a_count_per_an_attribute_that_is_nowhere_fails(spans: CapturedSpans) -> None:
    _pay()

    with pytest.raises(AssertionError, match=r"1 of .* have no 'payment\.id' on or above"):
        spans.assert_count("authorise at provider", 1, per="payment.id")
    with pytest.raises(AssertionError, match=r"have no 'payment\.id' on or above"):
        spans.assert_count("refund at provider", 0, per="payment.id")


@pytest.mark.parametrize("run", ["first", "second"])
def test_ids_and_durations_are_equal_from_run_to_run(spans: CapturedSpans, run: str) -> None:
    del run
    _pay()

    assert spans.trace_ids() == [f"{1:032x}"]
    assert [context.span_id for span in spans if (context := span.get_span_context())] == [1, 2, 3, 4]
    assert spans.tree(durations=True).splitlines() == [
        "POST /v1/payments (server) 7 ms",
        "  authorise payment 5 ms",
        "    claim_key 1 ms",
        "    authorise at provider 1 ms",
    ]


def test_a_capture_inside_of_another_neither_restarts_nor_ends_the_counting(spans: CapturedSpans) -> None:
    with tracer.start_as_current_span("before"):
        pass
    with capture_spans(clock=TickingClock(), count_ids=True), tracer.start_as_current_span("inside"):
        pass
    with tracer.start_as_current_span("after"):
        pass

    assert spans.trace_ids() == [f"{number:032x}" for number in (1, 2, 3)]


def test_a_span_that_is_open_when_ids_begin_anew_keeps_its_place() -> None:
    with capture_spans(count_ids=True):
        old = tracer.start_span("old")
    with capture_spans(count_ids=True) as captured, tracer.start_as_current_span("new"):
        old.end()

    assert [span.name for span in captured] == ["old", "new"]


def test_without_a_clock_durations_are_those_of_the_spans() -> None:
    with capture_spans() as captured:
        tracer.start_span("call", start_time=1_000_000).end(end_time=43_000_000)

    assert captured.tree(durations=True) == "call 42 ms"
