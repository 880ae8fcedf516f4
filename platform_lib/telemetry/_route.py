"""The route template of a request, such as `/v1/payments/{id}`, from what the router left in the scope.

`scope["route"]` alone is not enough: its path is local to the router that declared it, so a router
included under a prefix, or an application under a mount, would lose the front of its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def http_route(scope: Mapping[str, Any]) -> str | None:
    """Return the full route template after the application ran, or None if no route was found."""
    route = scope.get("route")
    path = getattr(route, "path_format", None)
    # FastAPI's own, private record of the route as included, prefixes and all; empty for an included mount.
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    path = getattr(context, "path_format", None) or path
    if not isinstance(path, str):
        return None
    root_path = scope.get("root_path") or ""
    if not root_path:
        return path
    return _template(root_path, scope.get("path_params") or {}, path) + path


def _template(prefix: str, path_params: Mapping[str, Any], path: str) -> str:
    """Put the parameters of a mount's own path back into *prefix*, which holds their values."""
    names = {str(value): name for name, value in path_params.items() if f"{{{name}}}" not in path}
    if not names:
        return prefix.rstrip("/")
    segments = (f"{{{names[part]}}}" if part in names else part for part in prefix.rstrip("/").split("/"))
    return "/".join(segments)
