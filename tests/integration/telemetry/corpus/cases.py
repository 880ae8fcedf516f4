"""What is asked of the applications, and what the server span has to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Said:
    """What a server span says: the method, the route's template and the status."""

    method: str = "GET"
    route: str | None = None
    status: int | None = 200


@dataclass(frozen=True)
class Differs:
    """What FastAPI's own span says instead, and why it is wrong there."""

    said: Said | None
    because: str


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        said: what ours says; None if the request never reaches us.
        error: the `error.type` of ours; None where the request did not fail.
        cut: where the client hangs up: in its own body, or in the answer's.
        native: how FastAPI's own span differs, where it does.
    """

    app: str
    target: str
    said: Said | None
    host: str = "pay.test"
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    cut: Literal["", "request", "response"] = ""
    error: str | None = None
    native: Differs | None = None

    def __str__(self) -> str:
        return f"{self.app}: {self.method} {self.target}" + (f" cut in {self.cut}" if self.cut else "")


# Where FastAPI's own span is not right, and why ours is.
BELOW = "it does not look into an application that is not FastAPI's, and stops at the mount"
MOUNT_ABOVE = "it does not see the mount above FastAPI, so two applications get one route"
NOT_FASTAPI = "there is no FastAPI to make a span"
REDIRECT = "no route matched this path; the route it names is that of the request to come"

PREFLIGHT = {"Origin": "https://shop.test", "Access-Control-Request-Method": "GET"}
UPGRADE = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZQ=="}

CASES = [
    Case("routers", "/api/v1/payments/p1", Said(route="/api/v1/payments/{payment_id}")),
    Case(
        "routers",
        "/api/v1/payments/p1/capture",
        Said(method="POST", route="/api/v1/payments/{payment_id}/capture"),
        method="POST",
    ),
    Case(
        "routers",
        "/api/v1/payments/p1",
        Said(method="DELETE", route="/api/v1/payments/{payment_id}", status=405),
        method="DELETE",
    ),
    Case(
        "routers", "/api/v2/more/nested/payments/p1", Said(route="/api/v2/more/nested/payments/{payment_id}")
    ),
    Case("routers", "/first/p1", Said(route="/first/{payment_id}")),
    Case("routers", "/second/p1", Said(route="/second/{payment_id}")),
    Case("routers", "/files/a/b/c", Said(route="/files/{name}")),
    Case("routers", "/numbers/7", Said(route="/numbers/{number}")),
    Case("routers", "/numbers/x", Said(status=404)),
    Case("routers", "/starlette/a", Said(route="/starlette/{name}")),
    Case("routers", "/docs", Said(route="/docs")),
    Case("routers", "/openapi.json", Said(route="/openapi.json")),
    Case("routers", "/nowhere", Said(status=404)),
    Case("routers", "/api/v1", Said(status=404)),
    Case("routers", "/../x", Said(status=404)),
    Case("routers", "//", Said(status=404)),
    Case("routers", "*", Said(status=404)),
    Case("routers", "http://pay.test/first/p1", Said(route="/first/{payment_id}")),
    Case("routers", "/first/%7Bpayment_id%7D", Said(route="/first/{payment_id}")),
    Case("routers", "/first/4111111111111111?q=1", Said(route="/first/{payment_id}")),
    Case("mounts", "/sub/things/a", Said(route="/sub/things/{thing}")),
    Case("mounts", "/sub/included/a", Said(route="/sub/included/{payment_id}")),
    Case("mounts", "/sub/nowhere", Said(route="/sub/{path}", status=404)),
    Case("mounts", "/sub/docs", Said(route="/sub/docs")),
    Case(
        "mounts",
        "/sub/things/a",
        Said(method="DELETE", route="/sub/things/{thing}", status=405),
        method="DELETE",
    ),
    Case("mounts", "/tenants/shop/things/a", Said(route="/tenants/{tenant}/things/{thing}")),
    Case("mounts", "/tenants/shop/shop/shop", Said(route="/tenants/{tenant}/shop/{tenant}")),
    Case("mounts", "/tenants/things/things/things", Said(route="/tenants/{tenant}/things/{thing}")),
    Case("mounts", "/tenants/shop/included/a", Said(route="/tenants/{tenant}/included/{payment_id}")),
    Case("mounts", "/tenants/shop/nowhere", Said(route="/tenants/{tenant}/{path}", status=404)),
    Case("mounts", "/numbers/007/things/a", Said(route="/numbers/{number}/things/{thing}")),
    Case("mounts", "/trees/a/b/c/end/things/x", Said(route="/trees/{branch}/end/things/{thing}")),
    Case("mounts", "/very/deep/007/things/a", Said(route="/very/deep/{level}/things/{thing}")),
    Case("mounts", "/very/deep/007/included/a", Said(route="/very/deep/{level}/included/{payment_id}")),
    Case(
        "mounts", "/by-router/mounted/shop/things/a", Said(route="/by-router/mounted/{tenant}/things/{thing}")
    ),
    Case(
        "mounts",
        "/by-router/mounted/shop/included/a",
        Said(route="/by-router/mounted/{tenant}/included/{payment_id}"),
    ),
    Case(
        "mounts",
        "/plain",
        Said(status=307),
        native=Differs(Said(route="/plain/{path}", status=307), REDIRECT),
    ),
    Case("mounts", "/plain/anything/at/all", Said(route="/plain/{path}")),
    Case("mounts", "/plain-of/shop/anything", Said(route="/plain-of/{tenant}/{path}")),
    Case("mounts", "/static/apps.py", Said(route="/static/{path}")),
    Case("mounts", "/static/nowhere.txt", Said(route="/static/{path}", status=404)),
    Case(
        "mounts",
        "/starlette/a",
        Said(route="/starlette/{name}"),
        native=Differs(Said(route="/starlette/{path}"), BELOW),
    ),
    Case(
        "mounts",
        "/starlette/inner/x",
        Said(route="/starlette/inner/x"),
        native=Differs(Said(route="/starlette/{path}"), BELOW),
    ),
    Case(
        "mounts",
        "/starlette/inner/y",
        Said(route="/starlette/inner/{path}", status=404),
        native=Differs(Said(route="/starlette/{path}", status=404), BELOW),
    ),
    Case("behind_a_prefix", "/things/a", Said(route="/api/things/{thing}")),
    Case("behind_a_prefix", "/api/things/a", Said(route="/api/things/{thing}")),
    Case("behind_a_prefix", "/sub/shop/things/a", Said(route="/api/sub/{tenant}/{path}", status=404)),
    Case("behind_a_prefix", "/api/sub/shop/things/a", Said(route="/api/sub/{tenant}/things/{thing}")),
    Case("hosts", "/things/a", Said(route="/things/{other}")),
    Case("hosts", "/things/a", Said(route="/things/{thing}"), host="shop.pay.test"),
    Case("responses", "/stream", Said(route="/stream")),
    Case("responses", "/events", Said(route="/events")),
    Case("responses", "/file", Said(route="/file")),
    Case("responses", "/nothing", Said(route="/nothing", status=204)),
    Case("responses", "/elsewhere", Said(route="/elsewhere", status=307)),
    Case("responses", "/background", Said(route="/background")),
    Case("responses", "/thread/a", Said(route="/thread/{name}")),
    Case("responses", "/dependency", Said(route="/dependency")),
    Case("responses", "/unmodified", Said(route="/unmodified", status=304)),
    Case("errors", "/refused/a", Said(route="/refused/{reason}", status=418)),
    Case("errors", "/unhandled/a", Said(route="/unhandled/{reason}", status=500), error="RuntimeError"),
    Case("errors", "/handled", Said(route="/handled", status=503), error="503"),
    Case("late_errors", "/half-way", Said(route="/half-way"), error="RuntimeError"),
    Case("errors", "/numbers/x", Said(route="/numbers/{number}", status=422)),
    Case(
        "errors",
        "/wrong-answer",
        Said(route="/wrong-answer", status=500),
        error="fastapi.exceptions.ResponseValidationError",
    ),
    Case("late_errors", "/ends-badly", Said(route="/ends-badly")),
    Case("errors", "/forbidden/a", Said(route="/forbidden/{thing}", status=403)),
    Case("late_errors", "/background", Said(route="/background")),
    Case("methods", "/things", Said(method="HEAD", route="/things", status=405), method="HEAD"),
    Case("methods", "/heads", Said(method="HEAD", route="/heads"), method="HEAD"),
    Case("methods", "/things", Said(method="OPTIONS", route="/things", status=405), method="OPTIONS"),
    Case("methods", "/options", Said(method="OPTIONS", route="/options"), method="OPTIONS"),
    Case("methods", "/slash", Said(status=307), native=Differs(Said(route="/slash/", status=307), REDIRECT)),
    Case(
        "methods", "/things/", Said(status=307), native=Differs(Said(route="/things", status=307), REDIRECT)
    ),
    Case("methods", "/any", Said(method="QUERY", route="/any"), method="QUERY"),
    Case("methods", "/any", Said(method="_OTHER", route="/any"), method="PROPFIND"),
    Case("methods", "/things", Said(method="_OTHER", route="/things", status=405), method="PROPFIND"),
    Case("methods", "/things", Said(method="TRACE", route="/things", status=405), method="TRACE"),
    Case("cors", "/things", Said(route="/things")),
    Case("cors", "/things", Said(method="OPTIONS"), method="OPTIONS", headers=PREFLIGHT),
    Case(
        "disconnects",
        "/upload",
        Said(method="POST", route="/upload", status=500),
        method="POST",
        cut="request",
        error="starlette.requests.ClientDisconnect",
    ),
    Case("disconnects", "/endless", Said(route="/endless"), cut="response", error="client_disconnected"),
    Case("disconnects", "/silent/", Said(route="/silent/{path}", status=None), error="incomplete_response"),
    Case("disconnects", "/unfinished/", Said(route="/unfinished/{path}"), error="incomplete_response"),
    Case("middleware", "/payments/p1", Said(route="/payments/{payment_id}")),
    Case("middleware", "/short-cut", Said(status=202)),
    Case("middleware", "/unhandled", Said(route="/unhandled", status=500), error="RuntimeError"),
    Case("middleware", "/nowhere", Said(status=404)),
    Case("outside", "/payments/p1", Said(route="/payments/{payment_id}")),
    Case("outside", "/short-cut", None),
    Case("outside", "/unhandled", Said(route="/unhandled", status=500), error="RuntimeError"),
    Case("lifespan", "/state/a", Said(route="/state/{name}")),
    Case("starlette", "/things/a", Said(route="/things/{thing}"), native=Differs(None, NOT_FASTAPI)),
    Case("starlette", "/sub/shop/a", Said(route="/sub/{tenant}/{name}"), native=Differs(None, NOT_FASTAPI)),
    Case(
        "starlette",
        "/sub/shop/inner/x",
        Said(route="/sub/{tenant}/inner/{path}"),
        native=Differs(None, NOT_FASTAPI),
    ),
    Case("starlette", "/static/apps.py", Said(route="/static/{path}"), native=Differs(None, NOT_FASTAPI)),
    Case("starlette", "/nowhere", Said(status=404), native=Differs(None, NOT_FASTAPI)),
    Case(
        "starlette",
        "/sub/shop/a/b",
        Said(route="/sub/{tenant}/{path}", status=404),
        native=Differs(None, NOT_FASTAPI),
    ),
    Case("plain", "/x", Said(), native=Differs(None, NOT_FASTAPI)),
    Case("sockets", "/socket", Said(status=404)),
    Case("sockets", "/nowhere", Said(status=404), headers=UPGRADE),
    Case("sockets", "/socket", Said(status=404), headers=UPGRADE),
    Case("frontend", "/pages/apps.py", Said(route="/pages/{page}")),
    Case("frontend", "/pages/nowhere/deep.js", Said(route="/pages/{path}", status=404)),
    Case("frontend", "/pages/one", Said(route="/pages/{page}")),
    Case("frontend", "/pages/", Said(route="/pages/{path}", status=404)),
    Case("frontend", "/pages", Said(route="/pages/{path}", status=404)),
    Case(
        "fastapi_below_starlette",
        "/sub/things/a",
        Said(route="/sub/things/{thing}"),
        native=Differs(Said(route="/things/{thing}"), MOUNT_ABOVE),
    ),
    Case(
        "fastapi_below_starlette",
        "/of/shop/things/a",
        Said(route="/of/{tenant}/things/{thing}"),
        native=Differs(Said(route="/things/{thing}"), MOUNT_ABOVE),
    ),
    Case(
        "fastapi_below_starlette",
        "/sub/nowhere",
        Said(route="/sub/{path}", status=404),
        native=Differs(Said(status=404), MOUNT_ABOVE),
    ),
]
