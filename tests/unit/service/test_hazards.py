"""Installing an application says which of its middleware breaks context variables."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware

from platform_lib.service import Service
from tests.unit.service.driving import ShopSettings


class Header(BaseHTTPMiddleware):
    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


def shop() -> Service:
    return Service("shop", ShopSettings())


def test_middleware_inside_the_application_is_named() -> None:
    app = FastAPI()
    app.add_middleware(GZipMiddleware)
    app.add_middleware(Header)

    with pytest.warns(UserWarning, match="shop: the middleware Header is a BaseHTTPMiddleware") as caught:
        shop().install(app)

    assert [warning.filename for warning in caught] == [__file__]


def test_middleware_around_the_application_is_named_too() -> None:
    with pytest.warns(UserWarning, match="Header"):
        shop().install(GZipMiddleware(Header(FastAPI())))


def test_one_class_is_named_once() -> None:
    app = FastAPI()
    app.add_middleware(Header)
    app.add_middleware(Header)

    with pytest.warns(UserWarning, match="Header") as caught:
        shop().install(Header(app))

    assert len(caught) == 1


def test_plain_middleware_is_let_be() -> None:
    app = FastAPI()
    app.add_middleware(GZipMiddleware)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shop().install(GZipMiddleware(app))
