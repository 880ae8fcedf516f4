"""The protobuf wire format, as far as OTLP needs it: bytes for attributes, texts and nested messages.

Written here because making protobuf objects for a span costs more than the request it describes.
Source: protobuf encoding specification; opentelemetry/proto/common/v1/common.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

_LENGTH_DELIMITED = 2
_FIXED64 = 1
_FIXED32 = 5
_ONE_BYTE = 0x80
_INT64 = 1 << 64

_varints = tuple(
    bytes([number]) if number < _ONE_BYTE else bytes([number & 0x7F | _ONE_BYTE, number >> 7])
    for number in range(_ONE_BYTE * _ONE_BYTE)
)
_fixed64 = Struct("<Q").pack
_fixed32 = Struct("<I").pack
_double = Struct("<d").pack


def varint(number: int) -> bytes:
    """Encode an integer; a negative one as its two's complement of 64 bits."""
    if 0 <= number < len(_varints):
        return _varints[number]
    number %= _INT64
    encoded = bytearray()
    while number >= _ONE_BYTE:
        encoded.append(number & 0x7F | _ONE_BYTE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def message(field: int, content: bytes) -> bytes:
    """Encode a nested message, a text in UTF-8, or bytes, as *field*."""
    return varint(field << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content


def text(field: int, value: str) -> bytes:
    """Encode a text as *field*; the empty text is the default and takes no bytes."""
    return message(field, utf8(value)) if value else b""


def number(field: int, value: int) -> bytes:
    """Encode an integer or an enumeration's number as *field*; zero is the default and takes no bytes."""
    return varint(field << 3) + varint(value) if value else b""


def fixed64(field: int, value: int) -> bytes:
    """Encode an unsigned integer in eight bytes as *field*."""
    return varint(field << 3 | _FIXED64) + _fixed64(value)


def fixed32(field: int, value: int) -> bytes:
    """Encode an unsigned integer in four bytes as *field*."""
    return varint(field << 3 | _FIXED32) + _fixed32(value)


def double(field: int, value: float) -> bytes:
    """Encode a floating-point number as *field*, also when it is zero."""
    return varint(field << 3 | _FIXED64) + _double(value)


def utf8(value: str) -> bytes:
    """Encode a text; a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return value.encode("utf-8", "replace")


def any_value(value: object) -> bytes:  # noqa: PLR0911  # one for each type of the protocol
    """Encode an attribute's value as `AnyValue`; what is no attribute type is encoded as its text."""
    match value:
        case None:
            return b""
        case bool():
            return b"\x10\x01" if value else b"\x10\x00"
        case str():
            return message(1, utf8(value))
        case int():
            return b"\x18" + varint(value)
        case float():
            return b"\x21" + _double(value)
        case bytes():
            return message(7, value)
        case Mapping():
            return message(6, b"".join(key_value(1, str(name), item) for name, item in value.items()))
        case Sequence():
            return message(5, b"".join(message(1, any_value(item)) for item in value))
    return message(1, utf8(str(value)))


def key_value(field: int, name: str, value: object) -> bytes:
    """Encode one attribute as *field* of the message that holds it."""
    return message(field, message(1, utf8(name)) + message(2, any_value(value)))


def attributes(field: int, items: Iterable[tuple[str, object]]) -> bytes:
    """Encode attributes, each as *field*."""
    return b"".join(key_value(field, name, value) for name, value in items)
