"""Money in the processor's decimals, there and back, exactly."""

import pytest
from platform_lib import Money

from card_connector.adapters.amounts import read, written


@pytest.mark.parametrize(
    ("minor_units", "currency", "text"),
    [
        (1250, "EUR", "12.50"),
        (5, "EUR", "0.05"),
        (1250, "JPY", "1250"),
        (1250, "KWD", "1.250"),
        (1250, "ISK", "1250.00"),
        (999_999_999_999, "EUR", "9999999999.99"),
    ],
)
def test_an_amount_is_written_and_read_as_the_processor_does(
    minor_units: int, currency: str, text: str
) -> None:
    assert written(Money(minor_units, currency)) == text
    assert read(text, currency) == Money(minor_units, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12.5", "EUR"),
        ("12", "EUR"),
        ("12.500", "EUR"),
        ("12,50", "EUR"),
        ("-12.50", "EUR"),
        ("1e3", "JPY"),
        ("012.50", "EUR"),
        (" 12.50", "EUR"),
        ("12.50\n", "EUR"),
        ("\u0661\u0662.50", "EUR"),
        ("12.50", "ISK"),
        ("12.50", "XXX"),
        ("", "EUR"),
    ],
)
def test_what_could_only_be_guessed_is_no_amount(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text, currency)
