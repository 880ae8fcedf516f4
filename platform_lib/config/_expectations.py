"""What a field expects, in words."""

from __future__ import annotations

import enum
import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, BeforeValidator, SecretBytes, SecretStr

from platform_lib.config import _bytes, _ratio, _seconds
from platform_lib.config._secret import Dsn, Secret

_words: Mapping[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    Secret: "a secret text",
    SecretStr: "a secret text",
    SecretBytes: "a secret text",
    Dsn: "a URL such as postgresql://user:password@host:5432/name",
}

_words_of_parsers: Mapping[Any, str] = {
    _seconds.parse_seconds: _seconds.expected,
    _bytes.parse_bytes: _bytes.expected,
    _ratio.parse_ratio: _ratio.expected,
}


def expectation(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """Return what a value of *annotation* may be, such as ``an integer, at least 1, at most 65535``."""
    parsers = [item.func for item in metadata if isinstance(item, BeforeValidator)]
    words = next((_words_of_parsers[parser] for parser in parsers if parser in _words_of_parsers), None)
    return ", ".join([words or _type_words(annotation), *_limits(metadata)])


def _type_words(annotation: Any) -> str:
    if annotation in _words:
        return _words[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return expectation(parts[0], parts[1:])
    if origin is Literal:
        return "one of " + ", ".join(str(part) for part in parts)
    if origin in {Union, types.UnionType}:
        return " or ".join(_type_words(part) for part in parts if part is not types.NoneType)
    kind = origin or annotation
    return _class_words(kind, parts) if isinstance(kind, type) else "another value"


def _class_words(kind: type, parts: Sequence[Any]) -> str:
    if issubclass(kind, enum.Enum):
        return "one of " + ", ".join(str(member.value) for member in kind)
    if issubclass(kind, Mapping | BaseModel):
        return "a JSON object"
    if issubclass(kind, Sequence | AbstractSet):
        return f"a list (comma-separated, or JSON), each {_type_words(parts[0]) if parts else 'a text'}"
    return f"a {kind.__name__}"


def _limits(metadata: Sequence[Any]) -> list[str]:
    words: list[str] = []
    for item in metadata:
        match item:
            case annotated_types.Ge():
                words.append(f"at least {item.ge}")
            case annotated_types.Gt():
                words.append(f"more than {item.gt}")
            case annotated_types.Le():
                words.append(f"at most {item.le}")
            case annotated_types.Lt():
                words.append(f"less than {item.lt}")
            case annotated_types.MinLen():
                words.append(f"of {item.min_length} or more")
            case annotated_types.MaxLen():
                words.append(f"of {item.max_length} or fewer")
            case _ if pattern := getattr(item, "pattern", None):
                words.append(f"matching {pattern}")
    return words
