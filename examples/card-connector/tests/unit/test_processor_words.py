"""The processor's words in the platform's, one by one."""

import json
from typing import Any

import pytest
from platform_lib import InvalidRequest, Money

from card_connector.adapters.processor import DECLINES, Transaction, read_event
from card_connector.domain.operation import Kind, Status


def transaction(**changes: Any) -> dict[str, Any]:
    """Return what the processor says about an approved authorisation."""
    return {
        "transactionId": "tx_1",
        "merchantRef": "order-1",
        "type": "AUTH",
        "state": "APPROVED",
        "value": "12.50",
        "currencyCode": "EUR",
        "parentId": None,
        "responseCode": "00",
        "challengeUrl": None,
        "createdAt": "2026-01-02T03:04:05Z",
        **changes,
    }


def test_an_approved_authorisation_names_itself() -> None:
    operation = Transaction.model_validate(transaction()).operation()

    assert (operation.kind, operation.status) == (Kind.AUTHORISATION, Status.APPROVED)
    assert (operation.authorisation_id, operation.reference) == ("tx_1", "order-1")
    assert operation.amount == Money(1250, "EUR")
    assert (operation.decline_code, operation.redirect_url) == (None, None)


@pytest.mark.parametrize(
    ("word", "kind"), [("CAPTURE", "capture"), ("REVERSAL", "void"), ("REFUND", "refund")]
)
def test_a_change_names_its_authorisation(word: str, kind: str) -> None:
    operation = Transaction.model_validate(transaction(type=word, parentId="tx_0")).operation()

    assert (operation.kind, operation.authorisation_id) == (kind, "tx_0")


@pytest.mark.parametrize(("code", "word"), DECLINES.items())
def test_a_decline_has_one_word_whatever_the_processor_calls_it(code: str, word: str) -> None:
    operation = Transaction.model_validate(transaction(state="DECLINED", responseCode=code)).operation()

    assert (operation.status, operation.decline_code) == (Status.DECLINED, word)


@pytest.mark.parametrize(("code", "word"), [("Z9", "declined_z9"), (None, "declined_unknown")])
def test_a_decline_that_we_do_not_know_keeps_its_code(code: str | None, word: str) -> None:
    operation = Transaction.model_validate(transaction(state="DECLINED", responseCode=code)).operation()

    assert operation.decline_code == word


def test_what_does_not_concern_us_is_no_event() -> None:
    assert read_event(json.dumps({"eventId": "ev_1", "eventType": "PAYOUT_SENT"}).encode()) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"eventId": "ev_1"}',
        b'{"eventId": "ev.1", "eventType": "TRANSACTION_UPDATED"}',
        json.dumps(
            {
                "eventId": "ev_1",
                "eventType": "TRANSACTION_UPDATED",
                "transaction": transaction(value="12.505"),
            }
        ).encode(),
    ],
)
def test_a_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_event(body)
