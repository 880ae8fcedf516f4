"""Refuse another instrumentation of the server: each request would be told of twice, in two traces perhaps.

FastAPI's and Starlette's own are switched off for each request by `ServerSpans`; those of
`opentelemetry-instrumentation-fastapi` and `-asgi` know no such switch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from platform_lib.errors import LawBroken

_PACKAGE = "opentelemetry.instrumentation."
_MOST_LAYERS = 64


def refuse_other_server_spans(app: Any) -> None:
    """Raise `LawBroken` if anything but the platform would make spans of the requests to *app*."""
    other = _other_server_spans(app)
    if other is not None:
        raise LawBroken(
            f"{other}: instruments this application, which has its server spans from the platform; each "
            "request would be in traces and metrics twice: remove it, or where it comes from "
            "opentelemetry-instrument set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=fastapi,starlette,asgi"
        )


def _other_server_spans(app: Any) -> str | None:
    for layer in _layers(app):
        if getattr(layer, "_is_instrumented_by_opentelemetry", False):
            return "FastAPIInstrumentor (opentelemetry-instrumentation-fastapi)"
        classes = [type(layer), *(getattr(each, "cls", None) for each in _middleware(layer))]
        for cls in classes:
            module = getattr(cls, "__module__", None) or ""
            if module.startswith(_PACKAGE):
                return f"{getattr(cls, '__name__', cls)} ({module})"
    return None


def _layers(app: Any) -> Iterator[Any]:
    for _ in range(_MOST_LAYERS):
        if app is None:
            return
        yield app
        app = getattr(app, "app", None) or getattr(app, "_app", None)


def _middleware(layer: Any) -> list[Any]:
    added = getattr(layer, "user_middleware", None)
    return list(added) if isinstance(added, list | tuple) else []
