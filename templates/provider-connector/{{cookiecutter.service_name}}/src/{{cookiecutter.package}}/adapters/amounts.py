"""Money as the processor writes it: a decimal text, whose decimals are its own and not always ISO 4217's."""

import re

from platform_lib import Money
from platform_lib.money import exponent

# What the processor documents beside ISO 4217; docs/processor.md has the page.
DECIMALS = {"ISK": 2, "UGX": 2}
WRITTEN = re.compile(r"(?P<whole>0|[1-9][0-9]{0,14})(?:\.(?P<part>[0-9]{1,4}))?")


def written(money: Money) -> str:
    """Return *money* as the processor expects it.

    Examples:
        >>> written(Money(1250, "EUR")), written(Money(1250, "JPY")), written(Money(1250, "ISK"))
        ('12.50', '1250', '1250.00')
    """
    ours = exponent(money.currency)
    digits = str(money.minor_units).rjust(ours + 1, "0") + "0" * (_decimals(money.currency) - ours)
    decimals = _decimals(money.currency)
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def read(text: str, currency: str) -> Money:
    """Return the money that the processor means.

    Raises:
        ValueError: the text is no amount of *currency*, or one that we could only round.
    """
    found = WRITTEN.fullmatch(text)
    if found is None or len(found["part"] or "") != _decimals(currency):
        raise ValueError(f"amount: {text!r} is not written with {_decimals(currency)} decimals")
    ours = exponent(currency)
    part, rest = (found["part"] or "")[:ours], (found["part"] or "")[ours:]
    if rest.strip("0"):
        raise ValueError(f"amount: {text!r} is no whole number of minor units of {currency}")
    return Money(int(found["whole"] + part), currency)


def _decimals(currency: str) -> int:
    # Never fewer than ISO 4217 has, or some amounts could not be written.
    return DECIMALS.get(currency, exponent(currency))
