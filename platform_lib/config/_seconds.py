"""Durations as people write them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_seconds_per_unit = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_part = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_whole = re.compile(rf"(?:{_part.pattern})+")
_number = re.compile(r"\d+(?:\.\d+)?")

expected = "a duration such as 5, 250ms, 5s, 2m or 1h30m"


def parse_seconds(value: object) -> float:
    """Return the seconds that *value* stands for.

    Shape: a number of seconds, or numbers with the units ms, s, m, h, d.
    Errors: ValueError for anything else, negative and infinite durations included.
    """
    match value:
        case bool():
            pass
        case int() | float() if math.isfinite(value) and value >= 0:
            return float(value)
        case str():
            text = value.strip()
            if _number.fullmatch(text):
                return float(text)
            if _whole.fullmatch(text):
                return math.fsum(
                    float(number) * _seconds_per_unit[unit] for number, unit in _part.findall(text)
                )
    raise ValueError(f"must be {expected}")


def format_seconds(seconds: float) -> str:
    """Return *seconds* as `parse_seconds` reads them, in the largest unit that leaves a whole number."""
    for unit, size in reversed(_seconds_per_unit.items()):
        if seconds >= size >= 1 and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    milliseconds = Decimal(repr(seconds)) * 1000
    return f"{milliseconds.normalize():f}ms" if seconds else "0"


Seconds = Annotated[
    float,
    BeforeValidator(parse_seconds),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}], "description": expected}
    ),
]
"""A duration: the value is a float of seconds, the setting is written ``5``, ``250ms``, ``5s``, ``1h30m``."""
