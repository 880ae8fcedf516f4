"""Money is an integer of minor units and an ISO 4217 code; nothing here has ever been a binary fraction.

The number of decimals is ISO's own. Providers and CLDR differ from it for some currencies; a provider's table
belongs beside that provider's adapter, never here.
"""

from __future__ import annotations

from dataclasses import dataclass

from platform_lib._currencies import exponents

__all__ = ["CurrencyMismatch", "Money", "UnknownCurrency", "exponent", "is_currency"]

largest_minor_units = 2**63 - 1
"""The largest amount that a PostgreSQL ``bigint`` column and a 64-bit reader can hold."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added, subtracted or compared; convert one of them first."""

    def __init__(self, left: str, right: str) -> None:
        self.left = left
        self.right = right
        super().__init__(f"money: {left} and {right} cannot be combined; convert one of them first")


class UnknownCurrency(ValueError):
    """The code is no live ISO 4217 currency with minor units."""

    def __init__(self, code: object) -> None:
        self.code = code
        super().__init__(
            f"currency: {code!r:.20} is no live ISO 4217 currency; use a code such as 'EUR', in capitals"
        )


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor units of one currency; negative where something is owed.

    Shape: minor units under the currency's ISO 4217 exponent, within 64 bits signed.
    Errors: TypeError for anything but an `int` (``True`` and ``12.0`` included), `UnknownCurrency`, and
    ValueError beyond 64 bits.

    Examples:
        >>> str(Money(1250, "EUR"))
        '12.50 EUR'
        >>> str(Money(1250, "JPY"))
        '1250 JPY'
        >>> str(Money(1250, "KWD"))
        '1.250 KWD'
        >>> str(Money(-5, "EUR"))
        '-0.05 EUR'
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor_units) is not int:
            raise TypeError(f"money: minor units must be an int, not {type(self.minor_units).__name__}")
        if not is_currency(self.currency):
            raise UnknownCurrency(self.currency)
        if not -largest_minor_units <= self.minor_units <= largest_minor_units:
            raise ValueError("money: the amount does not fit in 64 bits, and so in no column")

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return Money(self.minor_units + other.minor_units, self.currency)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return Money(self.minor_units - other.minor_units, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor_units, self.currency)

    def __lt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor_units < other.minor_units

    def __le__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor_units <= other.minor_units

    def __gt__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor_units > other.minor_units

    def __ge__(self, other: Money) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        self._require_same_currency(other)
        return self.minor_units >= other.minor_units

    def __str__(self) -> str:
        decimals = exponent(self.currency)
        sign = "-" if self.minor_units < 0 else ""
        digits = str(abs(self.minor_units)).rjust(decimals + 1, "0")
        if decimals == 0:
            return f"{sign}{digits} {self.currency}"
        return f"{sign}{digits[:-decimals]}.{digits[-decimals:]} {self.currency}"

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)


def exponent(currency: str) -> int:
    """Return the number of decimals of *currency*: 2 for EUR, 0 for JPY, 3 for KWD.

    Errors: `UnknownCurrency`. Source: ISO 4217 list one, column "minor unit".
    """
    if not is_currency(currency):
        raise UnknownCurrency(currency)
    return exponents[currency]


def is_currency(code: object) -> bool:
    """Tell whether *code* is a live ISO 4217 currency with minor units; capitals only."""
    return isinstance(code, str) and code in exponents
