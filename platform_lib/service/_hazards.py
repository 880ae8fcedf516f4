"""Middleware that breaks what a service promises, found when the application is installed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

_BASE = ("starlette.middleware.base", "BaseHTTPMiddleware")


def warn_of_middleware(app: object, service_name: str) -> None:
    """Warn of each `BaseHTTPMiddleware` around or in *app*, once a class."""
    for name in dict.fromkeys(_task_making(app)):
        warnings.warn(
            f"{service_name}: the middleware {name} is a BaseHTTPMiddleware, which runs what is below it in "
            "a task of its own, so that context variables set there are lost above; write it as plain ASGI "
            "middleware",
            stacklevel=3,  # where install was called
        )


def _task_making(app: object) -> Iterator[str]:
    seen: set[int] = set()
    while app is not None and id(app) not in seen:
        seen.add(id(app))
        if _is_task_making(type(app)):
            yield type(app).__qualname__
        added: list[Any] = getattr(app, "user_middleware", None) or []  # of Starlette and FastAPI
        for middleware in added:
            if isinstance(middleware.cls, type) and _is_task_making(middleware.cls):
                yield middleware.cls.__qualname__
        app = getattr(app, "app", None)


def _is_task_making(kind: type) -> bool:
    return any((base.__module__, base.__name__) == _BASE for base in kind.__mro__)
