"""Every error of a FastAPI application as one kind of body: RFC 9457 problem details."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from platform_lib.errors import Fault, InvalidRequest, Problem
from platform_lib.frameworks._expectations import described
from platform_lib.service import problem_body, problem_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_details = {
    404: "There is nothing at this path",
    405: "The path exists, but not for this method; the Allow header names those it takes",
}


def answer_with_problems(app: FastAPI, vocabulary: Callable[[], Collection[str]]) -> None:
    """Register the handlers that turn every error of *app* into a problem document.

    *vocabulary* gives the names that the API's description uses; see `described`.
    """

    async def on_problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101  # Starlette dispatches by type, mypy cannot know
        return _response(error)

    async def on_invalid_request(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # the same
        errors = described(error.errors(), vocabulary())
        return _response(
            InvalidRequest("See errors for each place and what is expected there", errors=errors)
        )

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # the same
        detail = _details.get(error.status_code) or HTTPStatus(error.status_code).phrase
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # The router names the methods of the first route at this path only (RFC 9110 section 15.5.6).
            headers["Allow"] = ", ".join(sorted(_methods(app, request))) or headers.get("Allow", "")
        return _response(http_problem(error.status_code)(detail, headers=headers))

    async def on_anything_else(_request: Request, _error: Exception) -> Response:
        # Starlette raises the error again after this answer; the service's last resort logs it, once.
        return _response(Fault("Something failed on our side; the trace id finds it"))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_anything_else)


@cache
def http_problem(status: int) -> type[Problem]:
    """Return the problem that stands for a bare HTTP status, such as 405 from the router."""
    phrase = HTTPStatus(status).phrase.capitalize()
    code = phrase.lower().replace(" ", "_").replace("-", "_").replace("'", "")
    members = {"__doc__": f"{phrase}.", "status": status, "code": code, "title": phrase}
    return type(phrase.title().replace(" ", ""), (Problem,), members)


def _methods(app: FastAPI, request: Request) -> set[str]:
    """Return the methods of every route at the path of *request*."""
    found: set[str] = set()
    for context in iter_route_contexts(app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern is not None and pattern.match(request.scope["path"]):
            found |= context.methods or set()
    return found


def _response(problem: Problem) -> Response:
    return Response(problem_body(problem), problem.status, problem_headers(problem))
