"""Request bodies that every reader understands the same way, or that are refused."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from email.message import Message as MimeHeaders
from typing import Any, ClassVar

from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from platform_lib import strict_json
from platform_lib.errors import InvalidRequest, Problem
from platform_lib.frameworks._background import in_traces_of_their_own

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class UnsupportedMediaType(Problem):
    """The request body is not JSON."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class RequestBody(BaseModel):
    """The base of a request's shape: nothing converted (``"100"`` is no integer), nothing ignored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class StrictRoute(APIRoute):
    """A route whose JSON body is read by `platform_lib.strict_json`; set it as a router's `route_class`.

    Each background task has a root span of its own, linked to the request's, and no deadline.
    Errors: `InvalidRequest` for duplicate names, NaN, fractions, integers beyond 64 bits, lone surrogates and
    deep nesting; `UnsupportedMediaType` for a body of another type.

    Attributes:
        allow_floats: whether numbers with a fraction are read; subclass to allow them, never where money is.
    """

    allow_floats: ClassVar[bool] = False

    @property
    def takes_json(self) -> bool:
        """Whether the route reads a JSON body."""
        return self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)

    def get_route_handler(self) -> Handler:
        """Return FastAPI's handler behind the strict reader."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            response = await answer(request)
            if response.background is not None:
                response.background = in_traces_of_their_own(response.background)
            return response

        async def handle_strictly(request: Request) -> Response:
            if not self.takes_json:
                return await handle(request)
            try:
                body = await request.body()
            except ClientDisconnect as error:  # nobody reads the answer, and nobody need be paged
                raise InvalidRequest("The connection ended before the body did") from error
            return await handle(_ReadRequest(request, body, self._read(body, request)) if body else request)

        return handle_strictly

    def _read(self, body: bytes, request: Request) -> Any:
        media_type = MimeHeaders()
        media_type["content-type"] = request.headers.get("content-type") or "application/octet-stream"
        subtype = media_type.get_content_subtype()
        if media_type.get_content_maintype() != "application" or not (
            subtype == "json" or subtype.endswith("+json")
        ):
            raise UnsupportedMediaType("The body must be JSON; send Content-Type: application/json")
        try:
            return strict_json.loads(body, allow_floats=self.allow_floats)
        except strict_json.StrictJsonError as error:
            expected = f"strict JSON (RFC 8259, I-JSON); found {error.reason} at position {error.position}"
        raise InvalidRequest(
            "The body is not valid JSON", errors=[{"location": "body", "expected": expected}]
        )


class _ReadRequest(Request):
    """A request whose JSON was already read."""

    def __init__(self, request: Request, body: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body  # where Starlette keeps a body that was read
        self._value = value

    async def json(self) -> Any:
        """Return what was read."""
        return self._value
