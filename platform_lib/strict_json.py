"""JSON with one meaning: what is read here means the same to every other reader, or it is refused.

Source: RFC 8259, and RFC 7493 (I-JSON) section 2 for the characters, numbers and names that readers disagree
on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from platform_lib import _json_positions
from platform_lib.errors import PlatformError

__all__ = ["StrictJsonError", "dumps", "loads"]

_largest = 2**63 - 1
_smallest = -(2**63)
_longest_integer = len(str(_smallest))
_escaped_surrogate = "\\u"

_Locate = Callable[[str], int]


class StrictJsonError(PlatformError, ValueError):
    """The text is no JSON that every reader understands the same way; the text itself is never quoted.

    Attributes:
        reason: what is wrong, in words that hold nothing of the input.
        position: where, as an offset in characters (in bytes if the body is not UTF-8).
    """

    def __init__(self, reason: str, position: int) -> None:
        self.reason = reason
        self.position = position
        super().__init__(f"JSON: {reason} at position {position}")


class _Refused(Exception):
    """A hook of the decoder met something; where it stands is found out afterwards."""

    def __init__(self, reason: str, locate: _Locate) -> None:
        self.reason = reason
        self.locate = locate


def loads(body: bytes | str, *, max_depth: int = 32, allow_floats: bool = False) -> Any:
    """Read one JSON value.

    Guarantee: no name stands twice in an object; numbers are integers of 64 bits signed (with *allow_floats*
    also finite floats); strings hold no lone surrogates; nesting is at most *max_depth*.
    Errors: `StrictJsonError`, and no other whatever the input.
    """
    try:
        return _read(body, max_depth, _with_floats if allow_floats else _without_floats)
    except StrictJsonError as error:
        error.__context__ = None  # the decoder's own error, which holds the whole body
        raise


def dumps(value: Any, *, allow_floats: bool = False) -> bytes:
    """Write *value* in its one canonical form: names sorted by code point, no spaces, UTF-8.

    Guarantee: `loads` with the same *allow_floats* reads it back as an equal value (tuples as lists).
    Errors: TypeError for what JSON has no word for, ValueError for what `loads` would refuse; both name the
    place.
    """
    plain = _plain(value, "$", allow_floats=allow_floats)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _read(body: bytes | str, max_depth: int, decoder: json.JSONDecoder) -> Any:
    text = _decoded(body)
    deep = _json_positions.too_deep(text, max_depth)
    if deep is not None:
        raise StrictJsonError(f"nested deeper than {max_depth}", deep)
    try:
        value = decoder.decode(text)
    except _Refused as refused:
        raise StrictJsonError(refused.reason, refused.locate(text)) from None
    except json.JSONDecodeError as error:
        raise StrictJsonError(error.msg[:1].lower() + error.msg[1:], error.pos) from None
    except RecursionError:
        raise StrictJsonError("nested deeper than the decoder can follow", 0) from None
    if (isinstance(body, str) or _escaped_surrogate in text) and _holds_surrogate(value):
        raise StrictJsonError("a lone surrogate", _json_positions.first_lexeme(text, _is_surrogate_string))
    return value


def _decoded(body: bytes | str) -> str:
    try:
        text = body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError as error:
        raise StrictJsonError("the body is not UTF-8", error.start) from None
    if text.startswith("\ufeff"):
        raise StrictJsonError("a byte order mark", 0)
    return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("the same name twice in one object", _json_positions.repeated_name)
    return found


def _integer(digits: str) -> int:
    # The length first: Python refuses to convert thousands of digits, with an error of its own.
    if len(digits) > _longest_integer or not _smallest <= int(digits) <= _largest:
        raise _Refused(
            "an integer beyond 64 bits", lambda text: _json_positions.first_lexeme(text, digits.__eq__)
        )
    return int(digits)


def _refuse_float(number: str) -> NoReturn:
    raise _Refused(
        "a number with a fraction or an exponent where only integers are allowed",
        lambda text: _json_positions.first_lexeme(text, number.__eq__),
    )


def _finite_float(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise _Refused("a number too large", lambda text: _json_positions.first_lexeme(text, number.__eq__))
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no JSON", lambda text: _json_positions.first_lexeme(text, name.__eq__))


def _holds_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return any(_holds_surrogate(name) or _holds_surrogate(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_holds_surrogate, value))


def _is_surrogate_string(lexeme: str) -> bool:
    return lexeme[0] == '"' and _holds_surrogate(json.loads(lexeme))


def _plain(value: Any, place: str, *, allow_floats: bool) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            if _holds_surrogate(value):
                raise ValueError(f"JSON: {place} holds a lone surrogate; no UTF-8 can carry it")
            return value
        case int():
            if not _smallest <= value <= _largest:
                raise ValueError(f"JSON: {place} is an integer beyond 64 bits; write it as a string")
            return value
        case float():
            if not (allow_floats and math.isfinite(value)):
                raise ValueError(f"JSON: {place} is a float; write an integer of a smaller unit, or a string")
            return value
        case Mapping():
            return {
                _name(name, place): _plain(inner, f"{place}.{name}", allow_floats=allow_floats)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [
                _plain(inner, f"{place}[{index}]", allow_floats=allow_floats)
                for index, inner in enumerate(value)
            ]
    raise TypeError(
        f"JSON: {place} is a {type(value).__name__}; make it a string, an integer, a list or a mapping"
    )


def _name(name: object, place: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"JSON: {place} has a name of type {type(name).__name__}; names are strings")
    if _holds_surrogate(name):
        raise ValueError(f"JSON: {place} has a name with a lone surrogate; no UTF-8 can carry it")
    return name


_without_floats = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_refuse_float,
    parse_constant=_refuse_constant,
)
_with_floats = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_finite_float,
    parse_constant=_refuse_constant,
)
