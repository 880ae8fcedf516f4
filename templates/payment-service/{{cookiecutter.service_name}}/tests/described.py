"""Whether a response is what the API's description promises: status, media type, headers and every member."""

import re
from typing import Any

import httpx2

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
FORMATS = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "uri": re.compile(r"[a-z]+:.+"),
}


def assert_described(description: dict[str, Any], response: httpx2.Response) -> None:
    """Fail unless *description* (OpenAPI 3.1) has *response* as it is."""
    request = response.request
    where = f"{request.method} {request.url.path} -> {response.status_code}"
    operation = _operation(description, request.method.lower(), request.url.path)
    assert str(response.status_code) in operation["responses"], f"{where}: this status is not described"
    described = operation["responses"][str(response.status_code)]
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if not response.content:
        assert not described.get("content"), f"{where}: described with a body, sent without"
        return
    assert media_type in described["content"], f"{where}: {media_type} is not described"
    if "idempotency-replayed" in response.headers:
        assert "Idempotency-Replayed" in described["headers"]
    _check(description, described["content"][media_type]["schema"], response.json(), where)


def _operation(description: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    for template, operations in description["paths"].items():
        if method in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: dict[str, Any] = operations[method]
            return operation
    raise AssertionError(f"{method} {path}: not described")


def _check(description: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> None:
    """Check *value* by the part of JSON Schema that the description uses."""
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        _check_any(description, schema["anyOf"], value, where)
        return
    if "type" in schema:
        fits = isinstance(value, TYPES[schema["type"]])
        assert fits, f"{where}: {value!r} is no {schema['type']}"
    assert value in schema.get("enum", [value]), f"{where}: {value!r} is none of {schema.get('enum')}"
    match value:
        case str():
            assert re.search(schema.get("pattern", ""), value), f"{where}: {value!r} does not match"
            form = FORMATS.get(schema.get("format", ""))
            assert not form or form.fullmatch(value), f"{where}: {value!r} is no {schema['format']}"
        case int():
            assert value >= schema.get("minimum", value), f"{where}: {value} is too small"
        case list():
            for number, item in enumerate(value):
                _check(description, schema.get("items", {}), item, f"{where}[{number}]")
        case dict():
            _check_object(description, schema, value, where)


def _check_any(description: dict[str, Any], choices: list[dict[str, Any]], value: Any, where: str) -> None:
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
    description: dict[str, Any], schema: dict[str, Any], value: dict[str, Any], where: str
) -> None:
    known = schema.get("properties", {})
    missing = set(schema.get("required", ())) - set(value)
    assert not missing, f"{where}: {sorted(missing)} are missing"
    unknown = set(value) - set(known)
    assert not unknown or schema.get("additionalProperties") is not False, f"{where}: {sorted(unknown)}"
    for name, member in value.items():
        _check(description, known.get(name, {}), member, f"{where}.{name}")
