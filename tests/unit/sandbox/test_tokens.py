"""The test tokens as data: what each makes the ledger do, and what it says about itself."""

from __future__ import annotations

import re

import pytest

from platform_lib import ManualClock, Money, SequentialIds
from platform_lib.sandbox import TOKENS, Ledger, Reaction, Token, tokens_table

everywhere = pytest.mark.parametrize("token", TOKENS.values(), ids=list(TOKENS))


@everywhere
def test_a_token_is_named_like_one_and_described_in_one_sentence(token: Token) -> None:
    assert re.fullmatch(r"tok_[a-z0-9_]+", token.name)
    assert token.happens.endswith(".")
    assert "|" not in token.happens


@everywhere
def test_a_token_gives_the_outcome_that_it_announces(token: Token) -> None:
    ledger = Ledger(clock=ManualClock(), ids=SequentialIds())
    reaction = token.reaction("authorisation")
    operation = ledger.authorise("order-1", Money(1000, "EUR"), token.name).operation

    expected = (
        "declined" if reaction.decline_code else "action_required" if reaction.challenge else "approved"
    )
    assert operation.status == expected
    assert operation.decline_code == reaction.decline_code
    assert operation.amount.minor_units == 1000 + reaction.excess_minor_units


@everywhere
def test_a_decline_names_its_code_in_the_description(token: Token) -> None:
    codes = [reaction.decline_code for reaction in token.reactions.values() if reaction.decline_code]

    assert re.findall(r"with `([a-z_]+)`", token.happens) == codes


def test_what_a_token_does_not_mention_is_approved_promptly() -> None:
    assert TOKENS["tok_refund_declined"].reaction("capture") == Reaction()
    assert TOKENS["tok_approved"].reaction("void") == Reaction()


def test_no_two_tokens_do_the_same() -> None:
    behaviours = [tuple(sorted(token.reactions.items())) for token in TOKENS.values()]

    assert len(set(behaviours)) == len(behaviours)


def test_the_table_has_one_row_for_each_token() -> None:
    lines = tokens_table().splitlines()

    assert len(lines) == 2 + len(TOKENS)
    assert "| `tok_approved` | Everything is approved at once. |" in lines
