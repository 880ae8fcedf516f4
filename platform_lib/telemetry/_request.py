"""What a request says about itself and its caller, as span attributes.

Source: OpenTelemetry semantic conventions 1.44, HTTP server span (stable names).
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

from platform_lib.redaction import redact

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Address = tuple[str, int | None]
Headers = list[tuple[bytes, bytes]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# RFC 9110, PATCH and QUERY; an operator's own list stands in its place.
_KNOWN = os.environ.get("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "").replace(" ", "").strip(",")
METHODS = frozenset((_KNOWN or "CONNECT,DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT,QUERY,TRACE").split(","))
_WANTED = frozenset({b"host", b"user-agent", b"traceparent", b"tracestate", b"baggage"})
_LISTS = frozenset({b"tracestate", b"baggage"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_USER_AGENT = 256
_MAX_HOST = 255
_MAX_METHOD = 32
# Segments that begin with a letter and are too short for a card number, an IBAN or a key; and UUIDs.
_harmless = re.compile(
    r"(?:[/\n]+(?:[a-z][a-z0-9_]{0,11}+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}))*+[/\n]*+", re.ASCII
).fullmatch


def wanted_headers(headers: Headers) -> dict[bytes, str]:
    """Return the headers that telemetry reads; two `traceparent` are none, an empty text.

    Lists that come in several lines are joined in their order (RFC 9110 section 5.3).
    """
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in _WANTED:
            text = value.decode("latin-1")
            if name not in found:
                found[name] = text
            elif name in _LISTS:
                found[name] += "," + text
            else:
                found[name] = "" if name == b"traceparent" else text
    return found


def verb(method: str) -> str:
    """Return the method as a name has it: HTTP where it is not a known one."""
    return method if method in METHODS else "HTTP"


def request_attributes(scope: Scope, headers: dict[bytes, str]) -> dict[str, str | int]:
    """Return everything that is known of a request when it begins."""
    attributes: dict[str, str | int] = {
        "http.request.method": scope["method"] if scope["method"] in METHODS else "_OTHER",
        "url.scheme": scope.get("scheme") or "http",
        "url.path": redacted_path(scope["path"]),
        "network.protocol.version": scope.get("http_version") or "1.1",
    }
    if scope["method"] not in METHODS:
        attributes["http.request.method_original"] = redact(scope["method"][:_MAX_METHOD])
    attributes.update(
        caller_attributes(
            scope.get("scheme") or "http",
            scope.get("client"),
            scope.get("server"),
            headers.get(b"host"),
            headers.get(b"user-agent"),
        )
    )
    return attributes


def redacted_path(path: str) -> str:
    """Return the path without card numbers and secrets; in most there is no room for one."""
    return path if is_harmless(path) else redact(path)


def is_harmless(paths: str) -> bool:
    """Whether a path, or paths in a line each, have no room for a card number or a secret."""
    return "k_" not in paths and "whsec_" not in paths and _harmless(paths) is not None


def caller_attributes(
    scheme: str, client: Address | None, server: Address | None, host: str | None, user_agent: str | None
) -> dict[str, str | int]:
    """Return who called whom: the server's address, the client's address, the user agent."""
    attributes: dict[str, str | int] = {}
    address, port = _authority(host)
    if address is None and server:
        address, port = server
    if address:
        attributes["server.address"] = _redacted(address[:_MAX_HOST])
        attributes["server.port"] = port or _DEFAULT_PORTS.get(scheme, 80)
    if client:
        attributes["client.address"] = client[0]
    if user_agent:
        attributes["user_agent.original"] = _redacted(user_agent[:_MAX_USER_AGENT])
    return attributes


@lru_cache(maxsize=256)
def _redacted(header: str) -> str:
    return redact(header)  # a caller says the same with every request


def _authority(host: str | None) -> tuple[str | None, int | None]:
    """Split a Host header; what is malformed is no address."""
    if not host:
        return None, None
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return host, None
    return (name, int(port)) if name and port.isdecimal() and len(port) <= len("65535") else (None, None)
