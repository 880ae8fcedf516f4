"""Shares of a whole as people write them."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_percent = re.compile(r"(\d+(?:\.\d+)?) *%")

expected = "a share of a whole such as 0.05 or 5%, from 0 to 1"


def parse_ratio(value: object) -> float:
    """Return the share that *value* stands for, from 0 to 1.

    Shape: a number from 0 to 1, or a percentage from 0% to 100%.
    Errors: ValueError for anything else; 5 is neither 5 nor 5%.
    """
    ratio = -1.0
    match value:
        case bool():
            pass
        case int() | float():
            ratio = float(value)
        case str() if found := _percent.fullmatch(value.strip()):
            ratio = float(Decimal(found[1]) / 100)
        case str():
            with contextlib.suppress(ValueError):
                ratio = float(value)
    if not 0 <= ratio <= 1:  # not a number is in no range either
        raise ValueError(f"must be {expected}")
    return ratio


def format_ratio(ratio: float) -> str:
    """Return *ratio* as `parse_ratio` reads it, in percent."""
    return f"{(Decimal(repr(ratio)) * 100).normalize():f}%"


Ratio = Annotated[
    float,
    BeforeValidator(parse_ratio),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}],
            "description": expected,
        }
    ),
]
"""A share of a whole: the value is a float from 0 to 1, the setting is written ``0.05`` or ``5%``."""
