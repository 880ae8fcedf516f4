"""The processor's books: what is legal, what is done once, and what the sums say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_lib import ManualClock, Money, NotFound, Refusal, SequentialIds
from platform_lib.sandbox import Ledger
from platform_lib.sandbox.refusals import (
    CaptureExceedsAuthorisation,
    ChallengeNotPending,
    CurrencyDiffers,
    NotCapturable,
    NotRefundable,
    NotVoidable,
    ReferenceReused,
    RefundExceedsCapture,
    UnknownToken,
)


def euros(minor_units: int) -> Money:
    return Money(minor_units, "EUR")


def new_ledger() -> Ledger:
    return Ledger(clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), ids=SequentialIds())


@pytest.fixture
def ledger() -> Ledger:
    return new_ledger()


def authorised(ledger: Ledger, minor_units: int = 1000, name: str = "tok_approved") -> str:
    return ledger.authorise("auth", euros(minor_units), name).operation.authorisation_id


def test_an_authorisation_is_entered_with_the_time_and_ids_that_were_passed_in(ledger: Ledger) -> None:
    operation = ledger.authorise("order-1", euros(1250), "tok_approved").operation

    assert operation.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert operation.authorisation_id == "auth_00000000000070008000000000000001"
    assert operation.id == "op_00000000000070008000000000000002"


def test_the_same_reference_with_the_same_content_is_done_once(ledger: Ledger) -> None:
    first = ledger.authorise("order-1", euros(1250), "tok_approved")
    again = ledger.authorise("order-1", euros(1250), "tok_approved")

    assert first.is_new
    assert not again.is_new
    assert again.operation == first.operation
    assert len(ledger.authorisations()) == 1


@pytest.mark.parametrize(
    ("amount", "token"),
    [
        (Money(1251, "EUR"), "tok_approved"),
        (Money(1250, "USD"), "tok_approved"),
        (Money(1250, "EUR"), "tok_declined"),
    ],
)
def test_the_same_reference_with_other_content_is_refused(ledger: Ledger, amount: Money, token: str) -> None:
    ledger.authorise("order-1", euros(1250), "tok_approved")

    with pytest.raises(ReferenceReused, match="order-1"):
        ledger.authorise("order-1", amount, token)
    assert len(ledger.operations()) == 1


def test_a_reference_stands_for_one_kind_of_operation_only(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger)

    with pytest.raises(ReferenceReused):
        ledger.capture(authorisation_id, "auth", euros(1000))
    with pytest.raises(ReferenceReused):
        ledger.void(authorisation_id, "auth")


def test_a_replayed_capture_is_returned_even_when_nothing_is_left_to_capture(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, 1000)
    first = ledger.capture(authorisation_id, "cap", euros(1000))

    again = ledger.capture(authorisation_id, "cap", euros(1000))

    assert again.operation == first.operation
    assert ledger.authorisation(authorisation_id).captured == euros(1000)


def test_several_captures_share_the_authorised_amount(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, 1000)
    ledger.capture(authorisation_id, "cap-1", euros(600))
    ledger.capture(authorisation_id, "cap-2", euros(400))

    assert ledger.authorisation(authorisation_id).captured == euros(1000)
    with pytest.raises(CaptureExceedsAuthorisation, match="0 minor units left"):
        ledger.capture(authorisation_id, "cap-3", euros(1))


def test_a_refused_operation_leaves_no_trace(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, 1000)

    with pytest.raises(CaptureExceedsAuthorisation):
        ledger.capture(authorisation_id, "cap", euros(1001))

    assert ledger.operations("cap") == []
    assert ledger.capture(authorisation_id, "cap", euros(1000)).is_new


def test_refunds_stay_within_what_was_captured(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, 1000)
    ledger.capture(authorisation_id, "cap", euros(700))
    ledger.refund(authorisation_id, "ref-1", euros(500))

    with pytest.raises(RefundExceedsCapture, match="200 minor units left"):
        ledger.refund(authorisation_id, "ref-2", euros(201))
    ledger.refund(authorisation_id, "ref-3", euros(200))

    assert ledger.authorisation(authorisation_id).status == "refunded"


def test_what_was_not_captured_cannot_be_refunded(ledger: Ledger) -> None:
    with pytest.raises(NotRefundable):
        ledger.refund(authorised(ledger), "ref", euros(1))


def test_a_void_releases_an_authorisation_before_its_first_capture_only(ledger: Ledger) -> None:
    voided = authorised(ledger)
    operation = ledger.void(voided, "void").operation
    captured = ledger.authorise("auth-2", euros(1000), "tok_approved").operation.authorisation_id
    ledger.capture(captured, "cap", euros(1))

    assert operation.amount == euros(1000)
    assert ledger.authorisation(voided).status == "voided"
    with pytest.raises(NotCapturable, match="voided"):
        ledger.capture(voided, "cap-2", euros(1))
    with pytest.raises(NotVoidable, match="captured"):
        ledger.void(captured, "void-2")


def test_an_amount_in_another_currency_is_refused(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger)
    ledger.capture(authorisation_id, "cap", euros(10))

    with pytest.raises(CurrencyDiffers):
        ledger.capture(authorisation_id, "cap-2", Money(1, "USD"))
    with pytest.raises(CurrencyDiffers):
        ledger.refund(authorisation_id, "ref", Money(1, "USD"))


def test_a_declined_authorisation_can_neither_be_captured_nor_voided(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, name="tok_stolen_card")

    assert ledger.authorisation(authorisation_id).status == "declined"
    with pytest.raises(NotCapturable):
        ledger.capture(authorisation_id, "cap", euros(1))
    with pytest.raises(NotVoidable):
        ledger.void(authorisation_id, "void")


def test_a_declined_capture_takes_nothing(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, name="tok_capture_declined")
    operation = ledger.capture(authorisation_id, "cap", euros(1000)).operation

    assert (operation.status, operation.decline_code) == ("declined", "authorisation_expired")
    assert ledger.authorisation(authorisation_id).captured == euros(0)
    assert ledger.authorisation(authorisation_id).status == "authorised"


@pytest.mark.parametrize(
    ("outcome", "status", "decline_code", "authorisation_status"),
    [
        ("approve", "approved", None, "authorised"),
        ("decline", "declined", "authentication_failed", "declined"),
    ],
)
def test_the_customer_settles_a_challenge(
    ledger: Ledger, outcome: str, status: str, decline_code: str | None, authorisation_status: str
) -> None:
    waiting = ledger.authorise("order-1", euros(1000), "tok_3ds_required").operation
    assert (waiting.status, waiting.settled) == ("action_required", False)

    settled = ledger.answer_challenge(
        waiting.authorisation_id, "approve" if outcome == "approve" else "decline"
    ).operation

    assert (settled.id, settled.status, settled.decline_code) == (waiting.id, status, decline_code)
    assert ledger.operation("order-1") == settled
    assert ledger.authorisation(waiting.authorisation_id).status == authorisation_status


def test_a_challenge_takes_the_same_answer_twice_and_no_other(ledger: Ledger) -> None:
    authorisation_id = authorised(ledger, name="tok_3ds_required")
    ledger.answer_challenge(authorisation_id, "approve")

    assert not ledger.answer_challenge(authorisation_id, "approve").is_new
    with pytest.raises(ChallengeNotPending):
        ledger.answer_challenge(authorisation_id, "decline")


def test_only_an_authorisation_that_waits_can_be_challenged(ledger: Ledger) -> None:
    with pytest.raises(ChallengeNotPending, match="without a challenge"):
        ledger.answer_challenge(authorised(ledger), "approve")


def test_nothing_is_captured_while_the_customer_is_awaited(ledger: Ledger) -> None:
    with pytest.raises(NotCapturable, match="action_required"):
        ledger.capture(authorised(ledger, name="tok_3ds_required"), "cap", euros(1))


def test_an_unknown_token_is_refused_without_repeating_it(ledger: Ledger) -> None:
    with pytest.raises(UnknownToken, match="tok_approved") as refused:
        ledger.authorise("order-1", euros(1000), "4242424242424242")

    assert "4242" not in str(refused.value)
    assert ledger.operations() == []


def test_what_does_not_exist_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="auth_nothing"):
        ledger.authorisation("auth_nothing")
    with pytest.raises(NotFound, match="order-9"):
        ledger.operation("order-9")
    assert ledger.operations("order-9") == []


def test_a_cleared_ledger_knows_nothing(ledger: Ledger) -> None:
    authorised(ledger)
    ledger.clear()

    assert (ledger.operations(), ledger.authorisations()) == ([], [])
    assert ledger.authorise("auth", euros(5), "tok_approved").is_new


_moves = st.lists(
    st.tuples(st.sampled_from(["capture", "refund", "void"]), st.integers(1, 700), st.integers(0, 12)),
    max_size=30,
)


@given(_moves)
def test_whatever_is_asked_the_sums_stay_in_order(moves: list[tuple[str, int, int]]) -> None:
    """Refunded never exceeds captured, captured never exceeds authorised, a void excludes both."""
    ledger = new_ledger()
    authorisation_id = authorised(ledger, 1000)
    for kind, minor_units, reference in moves:
        try:
            match kind:
                case "capture":
                    ledger.capture(authorisation_id, f"r{reference}", euros(minor_units))
                case "refund":
                    ledger.refund(authorisation_id, f"r{reference}", euros(minor_units))
                case _:
                    ledger.void(authorisation_id, f"r{reference}")
        except Refusal:
            pass

        authorisation = ledger.authorisation(authorisation_id)
        assert euros(0) <= authorisation.refunded <= authorisation.captured <= authorisation.amount
        if authorisation.status == "voided":
            assert authorisation.captured == euros(0)
