"""The rules of a payment and of refunds: no I/O."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from platform_lib import Money

from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Outcome, Result
from {{ cookiecutter.package }}.domain.payment import (
    TRANSITIONS,
    IllegalTransition,
    Payment,
    State,
)
from {{ cookiecutter.package }}.domain.refund import refund, refundable
from {{ cookiecutter.package }}.domain.refusals import (
    CaptureExceedsAuthorisation,
    CurrencyDiffers,
    NotCapturable,
    NotRefundable,
    NotVoidable,
    OperationInProgress,
    RefundExceedsCapture,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def eur(minor_units: int) -> Money:
    return Money(minor_units, "EUR")


def number(n: int) -> UUID:
    return UUID(int=n)


def new_payment() -> Payment:
    attempt = Attempt(
        id=number(1), operation=Operation.AUTHORISE, amount=eur(1250), idempotency_key="k-1", created_at=NOW
    )
    return Payment.begin(
        merchant_id="acme", payment_id=number(100), merchant_reference="order-1", attempt=attempt
    )


def agreed(attempt: Attempt, outcome: Outcome = Outcome.SUCCEEDED, code: str | None = None) -> Result:
    """What the provider says when it did, or declined, exactly what it was asked."""
    return Result(
        outcome=outcome,
        code=code,
        reference=str(attempt.id),
        operation=attempt.operation,
        amount=attempt.amount,
        authorisation="auth_1",
    )


def authorised() -> Payment:
    payment = new_payment()
    payment.settle(number(1), agreed(payment.attempts[0]), NOW)
    return payment


def captured(amount: Money | None = None) -> Payment:
    payment = authorised()
    attempt = payment.capture(number(2), "k-2", amount, NOW)
    payment.settle(attempt.id, agreed(attempt), NOW)
    return payment


def test_an_approved_authorisation_holds_the_amount() -> None:
    payment = new_payment()

    event = payment.settle(number(1), agreed(payment.attempts[0]), LATER)

    assert payment.state is State.AUTHORISED
    assert payment.authorised == eur(1250)
    assert payment.authorisation == "auth_1"
    assert payment.updated_at == LATER
    assert event is not None
    assert event.type == "payment.authorised"


def test_a_declined_authorisation_holds_nothing() -> None:
    payment = new_payment()

    event = payment.settle(
        number(1), agreed(payment.attempts[0], Outcome.DECLINED, "insufficient_funds"), LATER
    )

    assert payment.state is State.DECLINED
    assert payment.authorised == eur(0)
    assert event is not None
    assert event.type == "payment.declined"
    assert event.data()["decline_code"] == "insufficient_funds"


def test_a_capture_without_an_amount_takes_all_that_is_left() -> None:
    payment = captured(eur(1000))

    assert payment.capture(number(3), "k-3", None, NOW).amount == eur(250)


def test_captures_add_up_to_at_most_the_authorised_amount() -> None:
    payment = captured(eur(1000))

    with pytest.raises(CaptureExceedsAuthorisation, match=r"2\.51 EUR; 2\.50 EUR is left"):
        payment.capture(number(3), "k-3", eur(251), NOW)


def test_a_payment_captured_in_full_cannot_be_captured_again() -> None:
    with pytest.raises(NotCapturable):
        captured().capture(number(3), "k-3", None, NOW)


def test_a_payment_with_captured_money_cannot_be_voided() -> None:
    with pytest.raises(NotVoidable, match="is captured"):
        captured(eur(1)).void(number(3), "k-3", NOW)


def test_a_voided_payment_is_at_its_end() -> None:
    payment = authorised()
    attempt = payment.void(number(2), "k-2", NOW)
    event = payment.settle(attempt.id, agreed(attempt), NOW)

    assert payment.state is State.VOIDED
    assert event is not None
    assert event.type == "payment.voided"
    with pytest.raises(NotCapturable):
        payment.capture(number(3), "k-3", None, NOW)


def test_a_declined_void_leaves_the_payment_authorised() -> None:
    payment = authorised()
    attempt = payment.void(number(2), "k-2", NOW)

    payment.settle(attempt.id, agreed(attempt, Outcome.DECLINED, "too_late"), NOW)

    assert payment.state is State.AUTHORISED


def test_a_partial_refund_leaves_the_payment_captured() -> None:
    payment = captured()
    attempt = refund(payment, number(3), "k-3", eur(250), NOW)

    payment.settle(attempt.id, agreed(attempt), NOW)

    assert payment.state is State.CAPTURED
    assert refundable(payment) == eur(1000)


def test_refunds_add_up_to_at_most_the_captured_amount() -> None:
    with pytest.raises(RefundExceedsCapture):
        refund(captured(eur(1000)), number(3), "k-3", eur(1001), NOW)


def test_a_payment_is_refunded_when_all_that_was_captured_is_returned() -> None:
    payment = captured(eur(1000))
    attempt = refund(payment, number(3), "k-3", None, NOW)

    payment.settle(attempt.id, agreed(attempt), NOW)

    assert payment.state is State.REFUNDED
    assert payment.refunded == eur(1000)


def test_money_that_was_not_captured_cannot_be_refunded() -> None:
    with pytest.raises(NotRefundable):
        refund(authorised(), number(2), "k-2", None, NOW)


def test_an_operation_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyDiffers):
        authorised().capture(number(2), "k-2", Money(1250, "SEK"), NOW)


@pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN])
def test_nothing_else_is_begun_while_an_attempt_is_unsettled(outcome: Outcome | None) -> None:
    payment = captured(eur(1000))
    attempt = payment.capture(number(3), "k-3", None, NOW)
    if outcome:
        payment.settle(attempt.id, Result.unknown("timeout"), NOW)

    with pytest.raises(OperationInProgress):
        payment.capture(number(4), "k-4", None, NOW)
    with pytest.raises(OperationInProgress):
        payment.void(number(4), "k-4", NOW)
    with pytest.raises(OperationInProgress):
        refund(payment, number(4), "k-4", None, NOW)


def test_a_lost_reply_makes_the_payment_unknown_and_tells_nobody() -> None:
    payment = new_payment()

    event = payment.settle(number(1), Result.unknown("timeout"), NOW)

    assert payment.state is State.UNKNOWN
    assert payment.attempts[0].outcome is Outcome.UNKNOWN
    assert event is None


def test_late_truth_settles_an_unknown_capture() -> None:
    payment = authorised()
    attempt = payment.capture(number(2), "k-2", None, NOW)
    payment.settle(attempt.id, Result.unknown("timeout"), NOW)
    assert payment.captured == eur(0)

    payment.settle(attempt.id, agreed(attempt), LATER)

    assert payment.state is State.CAPTURED
    assert payment.captured == eur(1250)


def test_an_unknown_capture_that_was_not_done_leaves_the_payment_authorised() -> None:
    payment = authorised()
    attempt = payment.capture(number(2), "k-2", None, NOW)
    payment.settle(attempt.id, Result.unknown("timeout"), NOW)

    payment.settle(attempt.id, Result.failed("not_found_at_provider"), LATER)

    assert payment.state is State.AUTHORISED


@pytest.mark.parametrize("late", [Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.FAILED, Outcome.UNKNOWN])
def test_the_first_final_outcome_stands_whatever_arrives_later(late: Outcome) -> None:
    payment = captured(eur(1000))
    before = replace(payment.attempts[1])

    event = payment.settle(number(2), replace(agreed(before), outcome=late), LATER)

    assert event is None
    assert payment.attempts[1] == before
    assert payment.captured == eur(1000)
    assert payment.updated_at == NOW


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"amount": eur(1251)}, "amount_mismatch"),
        ({"amount": Money(1250, "SEK")}, "amount_mismatch"),
        ({"reference": str(number(9))}, "reference_mismatch"),
        ({"operation": Operation.REFUND}, "operation_mismatch"),
        ({"authorisation": None}, "authorisation_missing"),
    ],
)
def test_an_answer_about_something_else_is_never_a_success(answer: dict[str, object], reason: str) -> None:
    payment = new_payment()

    payment.settle(number(1), replace(agreed(payment.attempts[0]), **answer), NOW)  # type: ignore[arg-type]  # of many types

    assert payment.state is State.UNKNOWN
    assert payment.attempts[0].code == reason
    assert payment.authorised == eur(0)


def test_a_customer_who_has_to_confirm_is_waited_for() -> None:
    payment = new_payment()
    attempt = payment.attempts[0]
    waiting = replace(agreed(attempt), outcome=Outcome.ACTION_REQUIRED, redirect_url="http://p.test")

    states = []
    for result in (waiting, Result.unknown("timeout"), agreed(attempt)):
        payment.settle(attempt.id, result, LATER)
        states.append(payment.state)

    assert states == [State.REQUIRES_ACTION, State.REQUIRES_ACTION, State.AUTHORISED]


def test_only_an_authorisation_can_ask_for_the_customer() -> None:
    payment = authorised()
    attempt = payment.capture(number(2), "k-2", None, NOW)

    payment.settle(attempt.id, agreed(attempt, Outcome.ACTION_REQUIRED), NOW)

    assert payment.attempts[1].code == "unexpected_action"


def test_a_final_state_is_left_by_no_transition() -> None:
    final = {state for state, targets in TRANSITIONS.items() if not targets}

    assert final == {State.DECLINED, State.FAILED, State.VOIDED, State.REFUNDED}
    assert set(TRANSITIONS) == set(State)


def test_a_move_that_is_not_listed_is_a_defect() -> None:
    payment = new_payment()
    payment.state = State.DECLINED

    with pytest.raises(IllegalTransition, match="declined cannot become authorised"):
        payment.settle(number(1), agreed(payment.attempts[0]), NOW)
