"""W3C Baggage inside the trust boundary: its limits, and that it comes out as it went in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_lib.telemetry._baggage import parse_baggage, sent_baggage

ROWS: list[tuple[str, str, dict[str, str]]] = [
    ("two members", "merchant=shop,region=eu", {"merchant": "shop", "region": "eu"}),
    ("white space", " merchant = shop \t,\tregion=eu ", {"merchant": "shop", "region": "eu"}),
    ("an encoded value", "name=%C3%84pfel%20%26%20Birnen", {"name": "Äpfel & Birnen"}),
    ("a plus is a plus", "sum=1+1", {"sum": "1+1"}),
    ("an equals sign in a value", "query=a=b", {"query": "a=b"}),
    ("an empty value", "flag=", {"flag": ""}),
    ("properties are not the value", "merchant=shop;ttl=5;private", {"merchant": "shop"}),
    ("a malformed member costs itself alone", "no pair,merchant=shop,=x,a b=c", {"merchant": "shop"}),
    ("a quotation mark is not allowed", 'merchant="shop"', {}),
    ("a letter beyond ASCII is not allowed", "merchant=\xe4", {}),
    ("half a percent sign stays", "share=5%", {"share": "5%"}),
    ("bytes that are no text", "x=%ff", {"x": "\ufffd"}),
    ("empty members", ",,merchant=shop,", {"merchant": "shop"}),
    ("nothing", "", {}),
]


@pytest.mark.parametrize(("header", "members"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_baggage_is_read_as_the_recommendation_has_it(header: str, members: dict[str, str]) -> None:
    assert parse_baggage(header) == members


def test_the_first_64_members_are_taken_and_sent() -> None:
    members = {f"k{number}": "v" for number in range(70)}
    header = ",".join(f"{key}={value}" for key, value in members.items())

    assert list(parse_baggage(header)) == list(members)[:64]
    assert sent_baggage(members).count(",") == 63


def test_8192_bytes_are_taken_and_sent_and_not_one_more() -> None:
    fits, too_long = {"a": "v" * 8190}, {"a": "v" * 8191}

    assert parse_baggage(sent_baggage(fits)) == fits
    assert sent_baggage(too_long) == ""
    assert parse_baggage("a=" + "v" * 8191) == {}
    assert sent_baggage({"a": "v" * 4000, "b": "v" * 4187}) == f"a={'v' * 4000},b={'v' * 4187}"
    assert sent_baggage({"a": "v" * 4000, "b": "v" * 4188}) == f"a={'v' * 4000}"


def test_a_key_that_is_no_token_is_not_sent() -> None:
    assert sent_baggage({"a b": "1", "": "2", "c\r\nx": "3", "d": "4"}) == "d=4"


@given(
    st.dictionaries(
        st.text("abcXYZ09!#$%&'*+-.^_`|~", min_size=1, max_size=20),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
        max_size=10,
    )
)
def test_any_text_comes_out_as_it_went_in(members: dict[str, str]) -> None:
    header = sent_baggage(members)

    assert header.isascii()
    assert header.isprintable()
    assert parse_baggage(header) == members


@given(st.text(max_size=200))
def test_no_text_at_all_breaks_the_reader(text: str) -> None:
    parse_baggage(text)


def test_lone_surrogates_are_replaced() -> None:
    assert sent_baggage({"a": "\ud800"}) == "a=?"
