"""The values of settings as they are written and shown; a secret is masked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BeforeValidator, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from platform_lib.config._bytes import format_bytes, parse_bytes
from platform_lib.config._fields import Leaf
from platform_lib.config._fields import Path as FieldPath
from platform_lib.config._ratio import format_ratio, parse_ratio
from platform_lib.config._seconds import format_seconds, parse_seconds
from platform_lib.config._secret import Dsn, Secret, masked
from platform_lib.config._section import Section
from platform_lib.redaction import redact

_formats: Mapping[Any, Callable[[Any], str]] = {
    parse_seconds: format_seconds,
    parse_bytes: format_bytes,
    parse_ratio: format_ratio,
}


def value_at(settings: Section, path: FieldPath) -> Any:
    """Return the value of the leaf at *path*; None inside of a section that is None."""
    value: Any = settings
    for name in path:
        value = None if value is None else getattr(value, name)
    return value


def plain(leaf: Leaf, value: Any, scrub: Callable[[str], str] = str) -> Any:
    """Return *value* as JSON has it, secrets masked and every text put through *scrub*."""
    if leaf.secret:
        return _masked(value)
    return _cleaned(to_jsonable_python(value, fallback=str), scrub)


def readable(leaf: Leaf, value: Any, scrub: Callable[[str], str] = str) -> str:
    """Return *value* as a variable would hold it and people write it; ``5s`` rather than 5.0."""
    if not leaf.secret and value is not None:
        for item in leaf.metadata:
            if isinstance(item, BeforeValidator) and item.func in _formats:
                return _formats[item.func](value)
    match plain(leaf, value, scrub):
        case None:
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case list() as items if all(isinstance(item, str | int | float) for item in items):
            return ",".join(map(str, items))
        case list() | dict() as nested:
            return json.dumps(nested, ensure_ascii=False)
        case other:
            return str(other)


def _masked(value: Any) -> Any:
    match value:
        case None | "" | () | []:
            return value
        case Secret() | Dsn():
            return str(value)
        case SecretStr() | SecretBytes():
            return masked if value.get_secret_value() else ""
        case list() | tuple():
            return [_masked(item) for item in value]
    return masked


def _cleaned(value: Any, scrub: Callable[[str], str]) -> Any:
    match value:
        case str():
            return scrub(redact(value))
        case list():
            return [_cleaned(item, scrub) for item in value]
        case dict():
            return {scrub(redact(str(key))): _cleaned(item, scrub) for key, item in value.items()}
    return value
