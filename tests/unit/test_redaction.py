"""No card number, account number, token, key or password survives redaction, whatever stands around it."""

import re
import time
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from platform_lib import redaction
from platform_lib.redaction import mask_url, redact, redact_mapping

# Numbers that the schemes publish for tests.
published_cards = [
    "4111111111111111",
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "6240008631401148",
    "3530111333300000",
    "30569309025904",
    "36227206271667",
    "6759649826438453",
    "6799990100000000019",
    "9792020000000001",
    "2200000000000004",
]
separators = st.sampled_from(["", " ", "-", "  ", "\u00a0", "\u2013", "%20", "+", " - "])
surroundings = st.text(max_size=40)


def with_check_digit(digits: str) -> str:
    """Return *digits* with the digit that makes them pass Luhn."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def bare(text: str) -> str:
    """Return what remains if everything that can separate groups of digits is left out."""
    return re.sub(r"%20|[\s+\-\u2010-\u2015\u2212]", "", text)


def grouped(number: str, separator: str) -> str:
    """Return *number* as it is printed on cards: 4-6-5 for 15 digits, else in fours."""
    if len(number) == 15:
        return separator.join((number[:4], number[4:10], number[10:]))
    return separator.join(number[start : start + 4] for start in range(0, len(number), 4))


issued = st.one_of(
    st.tuples(st.just("4"), st.sampled_from([13, 16, 19])),
    st.tuples(st.sampled_from(["51", "55", "2221", "2720"]), st.just(16)),
    st.tuples(st.sampled_from(["34", "37"]), st.just(15)),
    st.tuples(st.sampled_from(["6011", "65", "62", "3528", "3589"]), st.just(16)),
).flatmap(
    lambda issuer: st.text(
        "0123456789", min_size=issuer[1] - len(issuer[0]) - 1, max_size=issuer[1] - len(issuer[0]) - 1
    ).map(lambda middle: with_check_digit(issuer[0] + middle))
)


@given(issued, separators, surroundings, surroundings)
def test_no_issued_card_number_survives_in_any_text(
    number: str, separator: str, before: str, after: str
) -> None:
    assume(number not in bare(before) + "|" + bare(after))

    redacted = redact(f"{before}{grouped(number, separator)}{after}")

    assert number not in bare(redacted)


@given(
    st.integers(12, 18).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size)), separators
)
def test_no_number_that_passes_luhn_survives_standing_alone(digits: str, separator: str) -> None:
    number = with_check_digit(digits)

    assert number not in bare(redact(f"card: {grouped(number, separator)}, paid"))


@pytest.mark.parametrize("number", published_cards)
@pytest.mark.parametrize(
    "text",
    ["{}", "paid with {}.", "164{}", "x{}y", "1 {} 12/27 123", '{{"card":"{}"}}', "00000000{}99999999999"],
)
def test_the_schemes_test_numbers_are_masked(number: str, text: str) -> None:
    assert number not in redact(text.format(number))


@pytest.mark.parametrize("mark", [".", "/", "_", ":", ","])
def test_card_numbers_printed_with_other_marks_are_masked(mark: str) -> None:
    assert redact(grouped("4111111111111111", mark)) == mark.join(("4111", "11**", "****", "1111"))
    assert redact(grouped("378282246310005", mark)) == mark.join(("3782", "82****", "*0005"))


def test_the_first_six_and_the_last_four_digits_stay() -> None:
    assert redact("card 4111 1111 1111 1111 declined") == "card 4111 11** **** 1111 declined"
    assert redact("4222222222222") == "422222***2222"


def test_digits_of_other_scripts_are_digits() -> None:
    arabic = "4111111111111111".translate({ord(digit): 0x660 + int(digit) for digit in "0123456789"})

    assert arabic[:6] + "******" + arabic[-4:] == redact(arabic)


@given(issued, issued)
def test_of_overlapping_and_touching_numbers_neither_is_shown(first: str, second: str) -> None:
    redacted = redact(first + second)

    assert first not in redacted
    assert second not in redacted
    assert first[6:] not in redacted
    assert second[:-4] not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # fails Luhn
        "2026-11-22 13:19:05.123456 +0000",
        "0190a1b2-4111-7111-8111-411111111111",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "411111111111111100000000000000ab",  # a trace id
        "took 4.123456789012345 s",
        "12.50 EUR",
        "task_id=7 risk_score=0.3 sk_SK",
        "missing bearer token",
        "passed 3 of 3 checks",
        "http://127.0.0.1:8080/merchants/a@b",
        "idempotency_key=order-1",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "iban",
    [
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
        "nl91abna0417164300",
        "FR14 2004 1010 0505 0001 3M02 606",
        "MT84MALT011000012345MTLCAST001S",
        "NO93-8601-1117-947",
    ],
)
def test_account_numbers_are_masked_but_for_their_ends(iban: str) -> None:
    redacted = redact(f"paid out to {iban} BY BANK")

    plain = re.sub(r"[ -]", "", iban)
    assert plain not in re.sub(r"[ -]", "", redacted)
    assert redacted.startswith(f"paid out to {iban[:4]}")
    assert redacted.endswith(f"{iban[-2:]} BY BANK")


def test_what_only_looks_like_an_account_number_stays() -> None:
    assert (
        redact("DE00370400440532013000 AB12345678901234567 DE89")
        == "DE00370400440532013000 AB12345678901234567 DE89"
    )


secret = "S3cr3t/with+marks="


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization: {}",
        "Authorization: Basic {}",
        'Authorization: Digest username="u", response="{}"',
        "{{'authorization': 'Bearer {}', 'host': 'x'}}",
        '{{\\"authorization\\":\\"Bearer {}\\"}}',
        "sent bearer {} to the provider",
        "password={}",
        "PAYMENTS_DATABASE_PASSWORD={} PAYMENTS_X=1",
        'password = "two words {}"',
        "password: '{}'",
        '{{"password": "a\\"b{}", "n": 1}}',
        '{{\\"client_secret\\":\\"{}\\"}}',
        "api_key={}&x=1",
        "apikey: {}",
        "X-Api-Key: {}",
        "secret => {}",
        "refresh_token={}",
        "Cookie: {}",
        "cvv={}",
        "host=db user=app password={} dbname=x",
        "whsec_{}",
        "sk_live_{}",
        "xsk_test_{}",
        "sk_{}",
        "connect to postgresql://app:{}@db:5432/payments failed",
        "nats://a:x@one:4222,nats://b:{}@two:4222",
        "amqp://:{}@host",
        "https://{}@git.test/x",
        "nats://{}@host:4222",
        "https://x.test/hook?a=1&token={}&b=2",
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n{}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx{}",
    ],
)
def test_secrets_are_erased_wherever_they_usually_stand(text: str) -> None:
    value = "S3cr3tWithoutMarks" if "@" in text or "eyJ" in text else secret

    assert value[:6] not in redact(text.format(value))


@given(
    st.text(
        st.characters(
            codec="utf-8",
            exclude_characters="\"'<>, \t\r\n\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0",
            exclude_categories=["Zs", "Zl", "Zp"],
        ),
        min_size=8,
    )
)
def test_no_password_survives_in_a_url_even_if_it_was_not_encoded(password: str) -> None:
    assume(password not in "postgresql://app:***@db:5432/payments")

    for masked in (
        redact(f"postgresql://app:{password}@db:5432/payments"),
        mask_url(f"postgresql://app:{password}@db:5432/payments"),
    ):
        assert password not in masked
        assert masked.endswith("@db:5432/payments")


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://app:secret@db:5432/x", "postgresql://app:***@db:5432/x"),
        ("postgresql://app@db/x", "postgresql://app@db/x"),
        ("postgresql://app:p@ss/w@rd@db/x", "postgresql://app:***@db/x"),
        ("postgresql://app:12/34@db/x", "postgresql://app:***@db/x"),
        (
            "postgresql://db/x?user=a&password=secret&sslmode=require",
            "postgresql://db/x?user=a&password=***&sslmode=require",
        ),
        ("nats://a:x@one:4222,nats://b:y@two:4222", "nats://a:***@one:4222,nats://b:***@two:4222"),
        ("nats://token@host:4222", "nats://***@host:4222"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("no url", "no url"),
    ],
)
def test_urls_keep_everything_but_their_secrets(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_mappings_are_redacted_to_the_bottom() -> None:
    value = {
        "password": {"nested": "anything"},
        "API-Key": 123,
        "payment_token": "tok_approved",
        "cvv": 123,
        "note": "card 4111111111111111",
        "number": 4111111111111111,
        "amount": 1250,
        "ratio": 0.5,
        "decimal": Decimal("1.5"),
        "flag": True,
        "nothing": None,
        "id": UUID(int=5),
        "body": b"4111111111111111",
        "list": ["Bearer abcdefgh", ("DE89370400440532013000",), {"x"}],
        "inner": MappingProxyType({"secret": "x", "idempotency_key": "order-1"}),
        "4111111111111111": "a name can be a card number too",
        "object": ValueError("password=hunter2"),
    }

    assert redact_mapping(value) == {
        "password": "[redacted]",
        "API-Key": "[redacted]",
        "payment_token": "[redacted]",
        "cvv": "[redacted]",
        "note": "card 411111******1111",
        "number": "411111******1111",
        "amount": 1250,
        "ratio": 0.5,
        "decimal": Decimal("1.5"),
        "flag": True,
        "nothing": None,
        "id": UUID(int=5),
        "body": "[redacted]",
        "list": ["Bearer [redacted]", ["DE89**************3000"], ["x"]],
        "inner": {"secret": "[redacted]", "idempotency_key": "order-1"},
        "411111******1111": "a name can be a card number too",
        "object": "password=[redacted]",
    }


def test_a_mapping_that_holds_itself_ends_somewhere() -> None:
    value: dict[str, Any] = {"note": "x"}
    value["again"] = value

    redacted = redact_mapping(value)

    assert redacted["again"]["note"] == "x"
    assert "[redacted]" in str(redacted)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("4111111111111111")


def test_what_cannot_be_looked_at_is_erased() -> None:
    assert redact_mapping({"x": Unprintable()}) == {"[redacted]": "[redacted]"}
    assert redact(Unprintable()) == "[redacted]"  # type: ignore[arg-type]
    assert redact(None) == "[redacted]"  # type: ignore[arg-type]
    assert mask_url(None) == "[redacted]"  # type: ignore[arg-type]


def test_a_fault_inside_costs_the_text_and_not_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> str:
        raise RuntimeError(text)

    monkeypatch.setattr(redaction, "mask_card_numbers", fail)

    assert redact("card 4111111111111111") == "[redacted]"


@given(st.text())
def test_no_text_has_to_be_erased_because_of_a_fault(text: str) -> None:
    redaction._redacted(text)


def test_hostile_texts_are_redacted_in_linear_time() -> None:
    """A quarter of a mebibyte each; work that grows with the square would take minutes."""
    began = time.perf_counter()

    for piece in (
        "4",
        "1 ",
        "0-",
        "DE89 ",
        '\\"password',
        "password=",
        'password="\\"',
        "://",
        "a:",
        "eyJ",
        "sk_",
        "bearer ",
        "authorization: ",
        "aaaaaaaa-",
        "a+",
        "-----BEGIN PRIVATE KEY-----",
        "http://a:",
    ):
        redact(piece * (262_144 // len(piece)))

    assert time.perf_counter() - began < 30
