"""Whether a response is what the API's description promises: status, media type, headers and every member."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

_types: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_formats = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "uri": re.compile(r"[a-z]+:.+"),
}


def assert_described(description: Mapping[str, Any], response: httpx2.Response) -> None:
    """Fail unless *description* (OpenAPI 3.1) has *response*, whose body was read, as it is.

    Checked by the part of JSON Schema that the platform's descriptions use.
    Raises: AssertionError, which names the request and what is not as described.
    """
    request = response.request
    where = f"{request.method} {request.url.path} -> {response.status_code}"
    responses = _operation(description, request.method.lower(), request.url.path)["responses"]
    _require(str(response.status_code) in responses, f"{where}: this status is not described")
    described = responses[str(response.status_code)]
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if not response.content:
        _require(not described.get("content"), f"{where}: described with a body, sent without")
        return
    _require(media_type in described.get("content", {}), f"{where}: {media_type} is not described")
    if "idempotency-replayed" in response.headers:
        _require(
            "Idempotency-Replayed" in described.get("headers", {}),
            f"{where}: Idempotency-Replayed is not described",
        )
    _check(description, described["content"][media_type]["schema"], response.json(), where)


def _require(met: bool, message: str) -> None:  # noqa: FBT001  # reads as the statement that it stands for
    if not met:
        raise AssertionError(message)


def _operation(description: Mapping[str, Any], method: str, path: str) -> Mapping[str, Any]:
    for template, operations in description["paths"].items():
        if method in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: Mapping[str, Any] = operations[method]
            return operation
    raise AssertionError(f"{method} {path}: not described")


def _check(description: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> None:
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        _check_any(description, schema["anyOf"], value, where)
        return
    if "type" in schema:
        _require(isinstance(value, _types[schema["type"]]), f"{where}: {value!r} is no {schema['type']}")
    _require(value in schema.get("enum", [value]), f"{where}: {value!r} is none of {schema.get('enum')}")
    match value:
        case str():
            _require(bool(re.search(schema.get("pattern", ""), value)), f"{where}: {value!r} does not match")
            form = _formats.get(schema.get("format", ""))
            _require(
                not form or bool(form.fullmatch(value)), f"{where}: {value!r} is no {schema.get('format')}"
            )
        case int():
            _require(value >= schema.get("minimum", value), f"{where}: {value} is too small")
        case list():
            for number, item in enumerate(value):
                _check(description, schema.get("items", {}), item, f"{where}[{number}]")
        case dict():
            _check_object(description, schema, value, where)


def _check_any(
    description: Mapping[str, Any], choices: Sequence[Mapping[str, Any]], value: Any, where: str
) -> None:
    errors = []
    for choice in choices:
        try:
            _check(description, choice, value, where)
        except AssertionError as error:
            errors.append(str(error))
        else:
            return
    raise AssertionError("; ".join(errors))


def _check_object(
    description: Mapping[str, Any], schema: Mapping[str, Any], value: Mapping[str, Any], where: str
) -> None:
    known = schema.get("properties", {})
    missing = set(schema.get("required", ())) - set(value)
    _require(not missing, f"{where}: {sorted(missing)} are missing")
    unknown = set(value) - set(known)
    _require(
        not unknown or schema.get("additionalProperties") is not False,
        f"{where}: {sorted(unknown)} are not described",
    )
    for name, member in value.items():
        _check(description, known.get(name, {}), member, f"{where}.{name}")
