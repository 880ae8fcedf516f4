"""The route template of a request, such as `/v1/payments/{id}`, from what the router left in the scope.

`scope["route"]` alone is not enough: its path is local to the router that declared it, so a router included
under a prefix, or an application under a mount, would lose the front of its path. And what a mount matched
stands in `root_path` as values, from which no template can be guessed: a tenant may be called like a folder.
So under a mount the way from the outermost router is walked again, on the routes' own expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_REST = "/{path}"  # what Starlette appends to the path of a mount


def http_route(scope: Mapping[str, Any]) -> str | None:
    """Return the full route template after the application ran, or None if no route was found.

    What a mounted application without a route of its own answered has the mount's template: `/static/{path}`.
    """
    context = (scope.get("fastapi") or {}).get("effective_route_context")  # empty for an included mount
    path = getattr(context, "path_format", None) or getattr(scope.get("route"), "path_format", None)
    outer = scope.get("app_root_path")  # set by the first mount on the way
    if outer is None:
        if isinstance(path, str):
            root_path: str = scope.get("root_path") or ""
            return root_path.rstrip("/") + path if root_path else path
        outer = scope.get("root_path") or ""
    full: str = scope["path"]
    endpoint = scope.get("endpoint")
    if endpoint is None:
        below = (scope.get("fastapi") or {}).get("frontend_path")  # of `FastAPI.frontend`, which is no route
        return full.removesuffix(below).rstrip("/") + _REST if isinstance(below, str) and not outer else None
    # What FastAPI does not note: its mounts, and plain routes of Starlette such as that of /docs.
    inside = full[len(outer) :] if outer and full.startswith(outer) else full
    try:
        found = _walk(getattr(scope.get("router"), "routes", ()), inside, endpoint)
    except (
        AttributeError,
        LookupError,
        TypeError,
    ):  # routes of another make, which is no fault of the request
        return None
    return None if found is None else outer.rstrip("/") + found


def _walk(routes: Iterable[Any], path: str, endpoint: object) -> str | None:
    """Return the template by which *path* leads to *endpoint*, the first in the routers' order."""
    for route in _flat(routes):
        if hasattr(route, "host_regex"):
            found = _walk(route.routes, path, endpoint)
            if found is not None:
                return found
            continue
        expression = getattr(route, "path_regex", None)
        match = expression.match(path) if expression is not None else None
        if match is None:
            continue
        template: str = route.path_format
        if not _is_mount(route):
            if getattr(route, "endpoint", None) is endpoint:
                return template
        elif route.app is endpoint:
            return template
        else:
            found = _walk(route.routes, "/" + match["path"], endpoint)
            if found is not None:
                return template.removesuffix(_REST) + found
    return None


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """Yield *routes* with those of FastAPI's included routers in their place, as included."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield route
        else:
            for context in contexts():
                yield context.starlette_route or context


def _is_mount(route: object) -> bool:
    return hasattr(route, "app") and hasattr(route, "routes") and not hasattr(route, "endpoint")
