"""Reading the Idempotency-Key header, and the fingerprint of a request."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from platform_lib.payments import (
    IDEMPOTENCY_KEY_PATTERN,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    fingerprint,
    parse_key,
)
from platform_lib.redaction import redact

VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))


def test_a_quoted_and_a_bare_key_are_the_same_key() -> None:
    assert parse_key(['"order-1"']) == parse_key(["order-1"]) == "order-1"


def test_white_space_around_the_header_value_does_not_count() -> None:
    assert parse_key([' \t"order-1" ']) == "order-1"


def test_a_quoted_key_may_hold_every_visible_character() -> None:
    escaped = VISIBLE.replace("\\", "\\\\").replace('"', '\\"')

    assert parse_key([f'"{escaped}"']) == VISIBLE


@given(st.text(VISIBLE + " \t", max_size=8) | st.text('k\\"', min_size=250, max_size=260))
@example("k" * 255)
@example("k" * 256)
@example('"' + "\\\\" * 255 + '"')
@example('"' + "k" * 256 + '"')
def test_the_published_pattern_matches_what_is_taken(value: str) -> None:
    try:
        parse_key([value])
    except IdempotencyKeyInvalid:
        taken = False
    else:
        taken = True

    assert bool(re.search(IDEMPOTENCY_KEY_PATTERN, value.strip(" \t"))) == taken


def test_a_request_without_the_header_is_told_that_it_is_missing() -> None:
    with pytest.raises(IdempotencyKeyMissing) as caught:
        parse_key([])

    assert caught.value.status == 400
    assert caught.value.document()["code"] == "idempotency_key_missing"


def test_a_repeated_header_is_refused_even_with_equal_values() -> None:
    with pytest.raises(IdempotencyKeyInvalid, match="sent 2 times"):
        parse_key(["order-1", "order-1"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "0 characters"),
        ('""', "0 characters"),
        ("k" * 256, "256 characters"),
        (f'"{"k" * 256}"', "256 characters"),
        ("order 1", "not visible ASCII"),
        ('"order 1"', "not visible ASCII"),
        ("órder", "not visible ASCII"),
        ("order\x00", "not visible ASCII"),
        ("order\n", "not visible ASCII"),
        ("\ud800", "not visible ASCII"),
        ("a,b", "bare key"),  # two headers, joined by a proxy
        ('a"b', "bare key"),
        ("a;b", "bare key"),
        ("a\\b", "bare key"),
        ('"a", "b"', "follows the closing quote"),
        ('"a";expires=1', "follows the closing quote"),
        ('"a', "closing quote is missing"),
        ('"', "closing quote is missing"),
        ('"a\\"', "closing quote is missing"),
        ('"a\\b"', "backslash"),
        ('"a\\', "backslash"),
    ],
)
def test_anything_but_one_key_is_refused_with_its_reason(value: str, reason: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid, match=reason) as caught:
        parse_key([value])

    assert caught.value.status == 400


def test_the_longest_key_has_255_characters() -> None:
    assert parse_key(["k" * 255]) == "k" * 255


def test_a_refusal_never_repeats_the_key() -> None:
    with pytest.raises(IdempotencyKeyInvalid) as caught:
        parse_key(["4111111111111111 secret"])

    assert "4111" not in json.dumps(caught.value.document())


@pytest.mark.parametrize(
    "key",
    [
        "4539148803436467",
        "order-4539148803436467",
        '"4539-1488-0343-6467"',
        "DE89370400440532013000",
        "sk_live_51Vd8GkTzWq3uLrMxE",
        "whsec_Y25yeS13ZWJob29rLXNlY3JldA",
    ],
)
def test_a_key_that_looks_like_a_secret_is_refused_since_keys_are_stored(key: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid, match="looks like a card number") as caught:
        parse_key([key])

    assert key.strip('"') not in json.dumps(caught.value.document())


@pytest.mark.parametrize(
    "key", ["018f4e5e-7e39-7c5a-9b39-4d5b1f3c2a11", "order-1", "1234567890", "k" * 64, "0" * 12]
)
def test_ordinary_keys_are_no_secrets(key: str) -> None:
    assert parse_key([key]) == key


@given(st.lists(st.text(), max_size=3))
def test_any_header_gives_a_storable_key_or_a_problem(values: list[str]) -> None:
    try:
        key = parse_key(values)
    except (IdempotencyKeyInvalid, IdempotencyKeyMissing):
        return
    assert 1 <= len(key) <= 255
    assert set(key) <= set(VISIBLE)


@given(st.text(alphabet=VISIBLE, min_size=1, max_size=255))
def test_every_key_survives_being_quoted(key: str) -> None:
    assume(redact(key) == key)
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'

    assert parse_key([quoted]) == key


def test_a_fingerprint_has_32_bytes() -> None:
    assert len(fingerprint("POST", "/v1/payments", b"{}")) == 32


def test_the_order_of_members_and_white_space_do_not_change_a_request() -> None:
    first = fingerprint(
        "POST", "/v1/payments", b'{"amount": {"minor_units": 1, "currency": "EUR"}, "a": "\\u00e9"}'
    )
    again = fingerprint(
        "post", "/v1/payments", '{"a":"é","amount":{"currency":"EUR","minor_units":1}}'.encode()
    )

    assert first == again


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/payments", b'{"amount":1}'),
        ("POST", "/v1/payments/1", b'{"amount":1}'),
        ("POST", "/v1/payments", b'{"amount":2}'),
        ("POST", "/v1/payments", b'{"amount":"1"}'),
        (
            "POST",
            "/v1/payments",
            b'{"amount":1.0}',
        ),  # a float is no money: not the same request, and refused later
        ("POST", "/v1/payments", b'{"amount":true}'),
        ("POST", "/v1/payments", b'{"amount":1,"amount":1}'),
        ("POST", "/v1/payments", b"[1]"),
        ("POST", "/v1/payments", b""),
    ],
)
def test_another_method_path_or_body_is_another_request(method: str, path: str, body: bytes) -> None:
    assert fingerprint(method, path, body) != fingerprint("POST", "/v1/payments", b'{"amount":1}')


def test_no_two_requests_can_be_cut_into_the_same_bytes() -> None:
    assert fingerprint("POST", "/a", b"b") != fingerprint("POST", "/ab", b"")


@given(st.text(), st.binary())
def test_any_request_has_a_fingerprint(path: str, body: bytes) -> None:
    assert fingerprint("POST", path, body) == fingerprint("POST", path, body)
