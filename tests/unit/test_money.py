"""Money is whole minor units of one live currency, and nothing else."""

import doctest
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_lib import money
from platform_lib._currencies import exponents
from platform_lib.money import CurrencyMismatch, Money, UnknownCurrency, exponent, is_currency

currencies = st.sampled_from(sorted(exponents))
# Half of what fits, so that a sum of two still does.
half_amounts = st.integers(-(2**62) + 1, 2**62 - 1)


def test_the_documented_examples_are_true() -> None:
    assert doctest.testmod(money).failed == 0


def test_the_committed_table_is_the_published_one() -> None:
    """The table changes when ISO's does: update `_currencies.py` from the package when this fails."""
    published = {
        currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None
    }

    assert dict(exponents) == published


@pytest.mark.parametrize(
    "code", ["XXX", "XTS", "XAU", "XDR", "XBA", "ZZZ", "DEM", "eur", "EU", "EURO", "", " EUR", "EUR\n"]
)
def test_codes_that_are_no_live_currency_are_refused(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(UnknownCurrency):
        Money(1, code)
    with pytest.raises(UnknownCurrency):
        exponent(code)


@pytest.mark.parametrize("code", [None, 978, b"EUR", ["EUR"]])
def test_what_is_no_text_is_no_currency(code: Any) -> None:
    assert not is_currency(code)
    with pytest.raises(UnknownCurrency):
        Money(1, code)


@pytest.mark.parametrize("code", ["XAF", "XCD", "XCG", "XOF", "XPF"])
def test_circulating_currencies_are_accepted_although_their_codes_begin_with_x(code: str) -> None:
    assert is_currency(code)


@pytest.mark.parametrize("amount", [True, False, 12.0, 12.5, "12", Decimal(12), None, b"12"])
def test_minor_units_that_are_no_integer_are_refused(amount: Any) -> None:
    with pytest.raises(TypeError, match="must be an int"):
        Money(amount, "EUR")


def test_amounts_beyond_64_bits_are_refused() -> None:
    largest = Money(2**63 - 1, "EUR")

    with pytest.raises(ValueError, match="64 bits"):
        largest + Money(1, "EUR")
    with pytest.raises(ValueError, match="64 bits"):
        -largest - Money(1, "EUR")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(1250, "EUR"), "12.50 EUR"),
        (Money(5, "EUR"), "0.05 EUR"),
        (Money(0, "EUR"), "0.00 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(-1250, "EUR"), "-12.50 EUR"),
        (Money(1250, "JPY"), "1250 JPY"),
        (Money(-1, "JPY"), "-1 JPY"),
        (Money(1250, "KWD"), "1.250 KWD"),
        (Money(1, "CLF"), "0.0001 CLF"),
        (Money(1250, "MGA"), "12.50 MGA"),  # CLDR shows none, ISO has two
        (Money(2**63 - 1, "EUR"), "92233720368547758.07 EUR"),  # no binary fraction holds this
    ],
)
def test_amounts_are_written_with_the_decimals_of_iso(amount: Money, text: str) -> None:
    assert str(amount) == text


@given(half_amounts, half_amounts, currencies)
def test_adding_and_subtracting_are_exact(left: int, right: int, code: str) -> None:
    total = Money(left, code) + Money(right, code)

    assert total == Money(left + right, code)
    assert total - Money(right, code) == Money(left, code)
    assert -Money(left, code) == Money(0, code) - Money(left, code)


@given(half_amounts, half_amounts, currencies)
def test_amounts_compare_as_their_minor_units_do(left: int, right: int, code: str) -> None:
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        assert compare(Money(left, code), Money(right, code)) is compare(left, right)


@given(st.integers(-(2**63) + 1, 2**63 - 1), currencies)
def test_the_written_amount_says_exactly_the_minor_units(amount: int, code: str) -> None:
    digits, written_code = str(Money(amount, code)).split(" ")

    assert written_code == code
    assert Decimal(digits).scaleb(exponent(code)) == amount


@pytest.mark.parametrize(
    "operation", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge]
)
def test_different_currencies_never_combine(operation: Callable[[Money, Money], object]) -> None:
    with pytest.raises(CurrencyMismatch, match="EUR and USD") as caught:
        operation(Money(1, "EUR"), Money(1, "USD"))

    assert (caught.value.left, caught.value.right) == ("EUR", "USD")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "operation", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge]
)
@pytest.mark.parametrize("other", [1, 1.5, "1", None])
def test_money_combines_with_nothing_but_money(
    operation: Callable[[Any, Any], object], other: object
) -> None:
    with pytest.raises(TypeError):
        operation(Money(1, "EUR"), other)


def test_equal_amounts_of_different_currencies_differ() -> None:
    assert Money(1, "EUR") != Money(1, "USD")


def test_money_cannot_be_changed_and_can_be_a_key() -> None:
    amount = Money(1, "EUR")

    with pytest.raises(AttributeError):
        amount.minor_units = 2  # type: ignore[misc]
    assert {amount: "one"}[Money(1, "EUR")] == "one"
