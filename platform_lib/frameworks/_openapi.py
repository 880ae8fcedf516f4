"""The API's description, made to tell the truth about errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from platform_lib.errors import Fault, InvalidRequest, Problem, Unavailable, type_prefix
from platform_lib.frameworks._strict_route import UnsupportedMediaType
from platform_lib.security import Unauthenticated
from platform_lib.service import ContentTooLarge

media_type = "application/problem+json"

_schema: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "retryable"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "identifies the kind of problem"},
        "title": {"type": "string", "description": "the kind of problem, for people"},
        "status": {"type": "integer", "description": "the HTTP status code"},
        "code": {"type": "string", "description": "the kind of problem, for programs"},
        "detail": {"type": "string", "description": "what happened this time, and what to do"},
        "retryable": {"type": "boolean", "description": "whether the same request can succeed later"},
        "trace_id": {
            "type": "string",
            "description": "finds this request in the traces; quote it to support",
        },
        "errors": {
            "type": "array",
            "description": "each place that is wrong in the request, and what is expected there",
            "items": {
                "type": "object",
                "required": ["location", "expected"],
                "properties": {"location": {"type": "string"}, "expected": {"type": "string"}},
            },
        },
    },
    "additionalProperties": True,
}
_methods_with_parameters = ("parameters", "requestBody")


def problem_responses(*types: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that can answer with *types*, each with an example by its code."""
    responses: dict[int | str, dict[str, Any]] = {}
    for problem in types:
        _add(responses, problem.status, problem)
    return responses


def told_truly(description: dict[str, Any]) -> dict[str, Any]:
    """Return *description* with the platform's errors in place of FastAPI's defaults.

    Any operation can answer 500 and 503; one with parameters or a body 422; one with a body 413 and 415.
    """
    for operation in _operations(description):
        responses = operation.setdefault("responses", {})
        if _is_default_422(responses.get("422", {})):
            del responses["422"]
        own: list[type[Problem]] = [Fault, Unavailable]
        if any(part in operation for part in _methods_with_parameters):
            own.append(InvalidRequest)
        if "requestBody" in operation:
            own += [ContentTooLarge, UnsupportedMediaType]
        for problem in own:
            _add(responses, str(problem.status), problem)
        operation["responses"] = dict(sorted(responses.items()))
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = _schema
    return description


def told_who_may_call(
    description: dict[str, Any], name: str, scheme: Mapping[str, Any], *, public: Collection[str]
) -> dict[str, Any]:
    """Return *description* with the security *scheme* and a 401 on every path that is not *public*."""
    description.setdefault("components", {})["securitySchemes"] = {name: dict(scheme)}
    description["security"] = [{name: []}]
    for path, operations in description.get("paths", {}).items():
        for operation in (item for item in operations.values() if isinstance(item, dict)):
            if path in public:
                operation["security"] = []
                continue
            responses = operation.setdefault("responses", {})
            _add(responses, str(Unauthenticated.status), Unauthenticated)
            operation["responses"] = dict(sorted(responses.items()))
    return description


def names_in(description: Mapping[str, Any]) -> frozenset[str]:
    """Return every name that the API itself gave to a parameter or a member, in lower case."""
    return frozenset(name.lower() for name in _names(description))


def _add(responses: dict[Any, dict[str, Any]], status: int | str, problem: type[Problem]) -> None:
    response = responses.setdefault(status, {"description": problem.title, "content": {}})
    content = response.setdefault("content", {}).setdefault(
        media_type, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    )
    examples = content.setdefault("examples", {})
    if problem.code not in examples:
        examples[problem.code] = {"summary": problem.title, "value": _example(problem)}
        response["description"] = "; ".join(dict.fromkeys(entry["summary"] for entry in examples.values()))


def _example(problem: type[Problem]) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": type_prefix + problem.code.replace("_", "-"),
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.title,
        "retryable": problem.retryable,
    }
    if problem is InvalidRequest:
        example["errors"] = [{"location": "body", "expected": "an object"}]
    return example


def _is_default_422(response: Mapping[str, Any]) -> bool:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/HTTPValidationError"))


def _operations(description: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in description.get("paths", {}).values():
        for operation in path.values():
            if isinstance(operation, dict):
                yield operation


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _names(item)
    elif isinstance(node, dict):
        if "in" in node and isinstance(node.get("name"), str):
            yield node["name"]
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for item in node.values():
            yield from _names(item)
