"""Sizes as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

# IEC 80000-13: Ki, Mi, … are powers of 1024; k, M, … are powers of 1000.
_bytes_per_unit = {"B": 1}
for _power, _letter in enumerate("kMGT", start=1):
    _bytes_per_unit |= {f"{_letter.upper()}iB": 1024**_power, f"{_letter}B": 1000**_power}
_bytes_per_unit["KB"] = _bytes_per_unit["kB"]  # a common misspelling that can mean nothing else
_size = re.compile(rf"\+?(\d+(?:_\d+)*(?:\.\d+)?) *({'|'.join(_bytes_per_unit)})?")

expected = "a size such as 1048576, 512KiB, 10MiB or 1GB"


def parse_bytes(value: object) -> int:
    """Return the bytes that *value* stands for.

    Shape: a whole number of bytes, or a number with a unit: B, kB, MB, GB, TB (powers of 1000), KiB, MiB,
    GiB, TiB (powers of 1024).
    Errors: ValueError for anything else; for a unit that may mean two things, such as ``10M``; and for what
    is not a whole number of bytes.
    """
    match value:
        case bool():
            pass
        case int() if value >= 0:
            return value
        case float() if value >= 0 and value.is_integer():
            return int(value)
        case str() if found := _size.fullmatch(value.strip()):
            size = Decimal(found[1]) * _bytes_per_unit[found[2] or "B"]
            if size == int(size):
                return int(size)
    raise ValueError(f"must be {expected}")


def format_bytes(size: int) -> str:
    """Return *size* as `parse_bytes` reads it, in the largest unit that leaves a whole number."""
    units = sorted(_bytes_per_unit.items(), key=lambda unit: -unit[1])
    for unit, factor in units:
        if factor > 1 and size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}], "description": expected}
    ),
]
"""A size: the value is an int of bytes, the setting is written ``1048576``, ``512KiB``, ``10MiB``."""
