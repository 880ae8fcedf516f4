"""Spans of a service's own, and what never gets into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest
from opentelemetry.trace import Span, SpanKind, StatusCode

from platform_lib.errors import Fault, Refusal
from platform_lib.telemetry import (
    client_span,
    consumer_span,
    current_traceparent,
    linked_span,
    producer_span,
    traced,
)
from platform_lib.testing import CapturedSpans

CARD = "4111111111111111"


class Declined(Refusal):
    """The card was declined."""

    code = "declined"


async def test_a_traced_coroutine_runs_in_a_span_of_that_name(spans: CapturedSpans) -> None:
    @traced("capture payment")
    async def capture(amount: int) -> int:
        return amount

    assert await capture(1250) == 1250
    assert spans.tree() == "capture payment"


def test_a_traced_function_runs_in_a_span_too(spans: CapturedSpans) -> None:
    @traced("sign")
    def sign(text: str) -> str:
        """Sign it."""
        return text

    assert sign("x") == "x"
    assert sign.__doc__ == "Sign it."
    assert spans.tree() == "sign"


async def test_an_exception_leaves_its_class_and_never_its_message(spans: CapturedSpans) -> None:
    @traced("charge")
    async def charge() -> None:
        raise ValueError(f"card {CARD} refused")

    with pytest.raises(ValueError, match=CARD):
        await charge()

    (span,) = spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.events == ()
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert CARD not in span.to_json()


async def test_a_refusal_is_an_answer_and_no_error(spans: CapturedSpans) -> None:
    @traced("charge")
    async def charge() -> None:
        raise Declined(f"card {CARD}")

    with pytest.raises(Declined):
        await charge()

    (span,) = spans
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {"paypath.refusal": "declined"}


async def test_a_fault_is_an_error(spans: CapturedSpans) -> None:
    @traced("charge")
    async def charge() -> None:
        raise Fault

    with pytest.raises(Fault):
        await charge()

    assert spans.tree() == "charge failed: platform_lib.errors.Fault"


@pytest.mark.parametrize(
    ("open_span", "kind"),
    [
        (client_span, SpanKind.CLIENT),
        (producer_span, SpanKind.PRODUCER),
        (consumer_span, SpanKind.CONSUMER),
    ],
)
def test_each_function_makes_the_kind_it_is_named_after(
    open_span: Callable[[str, Mapping[str, str]], AbstractContextManager[Span]],
    kind: SpanKind,
    spans: CapturedSpans,
) -> None:
    with open_span("work", {"messaging.system": "nats"}):
        pass

    (span,) = spans
    assert span.kind is kind
    assert dict(span.attributes or {}) == {"messaging.system": "nats"}


def test_work_that_outlives_its_cause_has_a_root_span_linked_to_it(spans: CapturedSpans) -> None:
    with client_span("cause"):
        carrier = current_traceparent()
    with client_span("somebody else's"), linked_span("work", carrier, {"attempt": 1}), client_span("inside"):
        pass

    (cause,), (work,), (inside,) = spans.named("cause"), spans.named("work"), spans.named("inside")
    assert work.parent is None
    assert cause.context is not None
    assert [link.context.span_id for link in work.links] == [cause.context.span_id]
    assert work.kind is SpanKind.CONSUMER
    assert (work.attributes or {})["attempt"] == 1
    assert inside.parent is not None
    assert work.context is not None
    assert inside.parent.span_id == work.context.span_id
    assert len(spans.trace_ids()) == 3


@pytest.mark.parametrize("carrier", [None, "", "nonsense"])
def test_without_a_known_cause_a_linked_span_has_no_link(carrier: str | None, spans: CapturedSpans) -> None:
    with linked_span("work", carrier):
        pass

    (work,) = spans
    assert work.links == ()
