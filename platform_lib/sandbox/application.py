"""Puts the sandbox's routes, its self-description and its error documents into one ASGI application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from platform_lib._version import __version__
from platform_lib.config import Secret
from platform_lib.errors import InvalidRequest, Problem
from platform_lib.sandbox.api import challenges, operations
from platform_lib.sandbox.control import controls
from platform_lib.sandbox.processor import Processor
from platform_lib.sandbox.tokens import TOKENS, tokens_table

_description = f"""\
A stateful payment processor for tests and local work.
No money moves, and each test token makes one thing happen.
Every operation has a `reference` of the caller's own choice and is done once under it.

{tokens_table()}
"""

_problem_schema: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "retryable": {"type": "boolean"},
    },
}
_problem_answer = {
    "description": "A problem document (RFC 9457); `code` says which.",
    "content": {"application/problem+json": {"schema": _problem_schema}},
}


def create_application(processor: Processor, api_key: Secret) -> FastAPI:
    """Return the application that serves *processor* to callers who know *api_key*."""
    app = FastAPI(
        title="Paypath provider sandbox",
        version=__version__,
        description=_description,
        responses={"4XX": _problem_answer, "422": _problem_answer},
        # The sandbox plays a foreign party: it reports to nobody.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.processor = processor
    app.state.api_key = api_key
    for router in (operations, challenges, controls):
        app.include_router(router)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_api_route("/", _welcome, methods=["GET"], tags=["sandbox"])
    return app


async def _welcome() -> dict[str, Any]:
    """Say what this is and where to look next."""
    return {
        "name": "Paypath provider sandbox",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "state": "/sandbox/state",
        "tokens": {token.name: token.happens for token in TOKENS.values()},
    }


def _document(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        dict(document), document["status"], dict(headers or {}), media_type="application/problem+json"
    )


async def _problem(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  # the handler's signature
    if not isinstance(error, Problem):
        raise error
    return _document(error.document(), error.headers)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  # as above
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [{"location": _location(one), "expected": one["msg"]} for one in error.errors()]
    return _document(InvalidRequest("See `errors`.", errors=errors).document())


def _location(error: Mapping[str, Any]) -> str:
    # Nothing of the input comes back: a card number may stand anywhere in it, even as a member's name.
    ours = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return ".".join(map(str, ours))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = "not_found" if error.status_code == 404 else "http_error"  # noqa: PLR2004  # Not Found
    document = {
        "type": f"urn:problem:{code.replace('_', '-')}",
        "title": error.detail,
        "status": error.status_code,
        "code": code,
        "detail": f"{request.method} {request.url.path}: {error.detail}; see /docs.",
        "retryable": False,
    }
    return _document(document, error.headers)
