"""What a request should have looked like, said without a word of what it did look like."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from platform_lib.redaction import redact

# Pydantic's own messages quote the input in places (a date's wrong character, a union's tag): none is used.
# A text may name the constraint (ctx) it was made from: that comes from the schema, never from the request.
_expected: dict[str, str] = {
    "missing": "a value; it is required",
    "extra_forbidden": "only the members that the schema names",
    "json_invalid": "valid JSON",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "none_required": "null",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "union_tag_invalid": "one of {expected_tags} as {discriminator}",
    "union_tag_not_found": "a member {discriminator}",
    "string_pattern_mismatch": "a string that matches {pattern}",
    "string_too_short": "a string of at least {min_length} characters",
    "string_too_long": "a string of at most {max_length} characters",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
}
_by_first_word: dict[str, str] = {
    "int": "an integer",
    "float": "a number",
    "finite": "a finite number",
    "decimal": "a decimal number",
    "bool": "true or false",
    "string": "a string",
    "bytes": "a string",
    "uuid": "a UUID",
    "date": "a date (RFC 3339)",
    "datetime": "a date and time with an offset (RFC 3339)",
    "time": "a time (RFC 3339)",
    "timezone": "a date and time with an offset (RFC 3339)",
    "url": "a URL",
}
_otherwise = "a valid value"

own_words = "expected"
"""The type of error whose message is shown: ``PydanticCustomError("expected", "a live ISO 4217 code")``."""


def described(errors: Sequence[Mapping[str, Any]], vocabulary: Collection[str]) -> list[dict[str, str]]:
    """Return location and expectation of each validation error, free of anything the caller sent.

    *vocabulary* holds the names that the API's own description uses; a part of a location that is none of
    them came from the caller (the key of an unknown member, of a mapping) and shows as ``*``.
    """
    found = [{"location": _location(error, vocabulary), "expected": _expectation(error)} for error in errors]
    return list({tuple(entry.items()): entry for entry in found}.values())


def _location(error: Mapping[str, Any], vocabulary: Collection[str]) -> str:
    parts = error["loc"]
    if error["type"] == "json_invalid":
        parts = parts[:1]
    source, *rest = parts or ("request",)
    return ".".join([str(source), *(_part(part, vocabulary) for part in rest)])


def _part(part: object, vocabulary: Collection[str]) -> str:
    return str(part) if isinstance(part, int) or str(part).lower() in vocabulary else "*"


def _expectation(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    if kind == own_words and not error.get("ctx"):
        return redact(str(error["msg"]))
    text = _expected.get(kind) or _by_first_word.get(kind.partition("_")[0], _otherwise)
    try:
        return text.format_map(error.get("ctx") or {})
    except (KeyError, IndexError):
        return _otherwise
