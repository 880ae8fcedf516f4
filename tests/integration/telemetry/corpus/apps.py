"""Small applications, one for each thing that makes a route, a status or an end hard to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent
App = Callable[..., Any]


async def plain(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer anything, as an application without any framework does."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def echo(request: Request) -> PlainTextResponse:
    """Answer with the path's parameters."""
    return PlainTextResponse(str(request.path_params))


def payments() -> APIRouter:
    """Make a router that others include."""
    router = APIRouter()

    @router.get("/{payment_id}")
    async def find(payment_id: str) -> str:
        return payment_id

    @router.post("/{payment_id}/capture")
    async def capture(payment_id: str) -> str:
        return payment_id

    return router


def routers() -> App:
    """Nested prefixes, one router twice, convertors, a root path of nothing."""
    app = FastAPI()
    outer = APIRouter(prefix="/payments")
    outer.include_router(payments())
    once_more = APIRouter(prefix="/more")
    once_more.include_router(outer, prefix="/nested")
    app.include_router(outer, prefix="/api/v1")
    app.include_router(once_more, prefix="/api/v2")
    same = payments()
    app.include_router(same, prefix="/first")
    app.include_router(same, prefix="/second")

    @app.get("/files/{name:path}")
    async def file(name: str) -> str:
        return name

    @app.get("/numbers/{number:int}")
    async def number(number: int) -> int:
        return number

    app.add_route("/starlette/{name}", echo)
    return app


def mounts() -> App:
    """Applications below applications, with and without parameters in their path."""
    sub = FastAPI()

    @sub.get("/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    @sub.get("/shop/{tenant}")
    async def shop(tenant: str) -> str:
        return tenant

    sub.include_router(payments(), prefix="/included")
    deep = FastAPI()
    deep.mount("/deep/{level:int}", sub)
    included = APIRouter()
    included.mount("/mounted/{tenant}", sub)
    app = FastAPI()
    app.include_router(included, prefix="/by-router")
    app.mount("/sub", sub)
    app.mount("/tenants/{tenant}", sub)
    app.mount("/numbers/{number:int}", sub)
    app.mount("/trees/{branch:path}/end", sub)
    app.mount("/very", deep)
    app.mount("/plain", plain)
    app.mount("/plain-of/{tenant}", plain)
    app.mount("/static", StaticFiles(directory=HERE))
    app.mount(
        "/starlette", Starlette(routes=[Route("/{name}", echo), Mount("/inner", routes=[Route("/x", echo)])])
    )
    return app


def hosts() -> App:
    """Route by the name of the host."""
    api = FastAPI()

    @api.get("/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    app = FastAPI()
    app.host("{tenant}.pay.test", api)

    @app.get("/things/{other}")
    async def other(other: str) -> str:
        return other

    return app


def behind_a_prefix() -> App:
    """Know that a proxy strips a prefix."""
    app = FastAPI(root_path="/api")

    @app.get("/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    sub = FastAPI()
    sub.add_api_route("/things/{thing}", thing)
    app.mount("/sub/{tenant}", sub)
    return app


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"chunk"
        await asyncio.sleep(0)


async def _events() -> AsyncIterator[str]:
    for number in range(3):
        yield f"data: {number}\n\n"


def opened() -> Iterator[str]:
    """Be a dependency that is closed after the answer."""
    yield "open"


def ends_badly() -> Iterator[str]:
    """Fail when the answer is out."""
    yield "open"
    raise RuntimeError("the card 4111111111111111")


def responses() -> App:
    """Answer in every way there is."""
    app = FastAPI()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_chunks())

    @app.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_events(), media_type="text/event-stream")

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(HERE / "apps.py")

    @app.get("/nothing", status_code=204)
    async def nothing() -> None: ...

    @app.get("/elsewhere")
    async def elsewhere() -> RedirectResponse:
        return RedirectResponse("/stream")

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(asyncio.sleep, 0)
        return "later"

    @app.get("/thread/{name}")
    def thread(name: str) -> str:
        return name

    @app.get("/dependency")
    async def dependency(resource: Annotated[str, Depends(opened)]) -> str:
        return resource

    @app.get("/unmodified", status_code=304)
    async def unmodified() -> None: ...

    return app


class Told(Exception):
    """An error that the application has a handler for."""


def errors() -> App:
    """Fail before the answer, in every way there is."""
    app = FastAPI()

    async def refuses() -> None:
        raise HTTPException(403)

    @app.get("/refused/{reason}")
    async def refused(reason: str) -> None:
        raise HTTPException(418, reason)

    @app.get("/unhandled/{reason}")
    async def unhandled(reason: str) -> None:
        raise RuntimeError(f"{reason} 4111111111111111")

    @app.get("/handled")
    async def handled() -> None:
        raise Told

    @app.exception_handler(Told)
    async def answer(_request: Request, _error: Exception) -> JSONResponse:
        return JSONResponse({}, status_code=503)

    @app.get("/numbers/{number}")
    async def number(number: int) -> int:
        return number

    @app.get("/wrong-answer", response_model=int)
    async def wrong_answer() -> str:
        return "no number"

    @app.get("/forbidden/{thing}", dependencies=[Depends(refuses)])
    async def forbidden(thing: str) -> str:
        return thing

    return app


def late_errors() -> App:
    """Fail when the answer has begun, or is out."""
    app = FastAPI()

    @app.get("/half-way")
    async def half_way() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"chunk"
            raise RuntimeError("the card 4111111111111111")

        return StreamingResponse(chunks())

    @app.get("/ends-badly")
    async def badly(resource: Annotated[str, Depends(ends_badly)]) -> str:
        return resource

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        def fail() -> None:
            raise RuntimeError("the card 4111111111111111")

        tasks.add_task(fail)
        return "later"

    return app


def methods() -> App:
    """Answer to methods that it knows, and to ways of writing a path."""
    app = FastAPI()

    @app.get("/things")
    async def things() -> str:
        return "things"

    @app.head("/heads")
    async def heads() -> None: ...

    @app.options("/options")
    async def options() -> None: ...

    @app.get("/slash/")
    async def slash() -> str:
        return "slash"

    @app.api_route("/any", methods=["QUERY", "PROPFIND"])
    async def any_method() -> str:
        return "any"

    return app


def cors() -> App:
    """Have its preflight requests answered by a middleware."""
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"])

    @app.get("/things")
    async def things() -> str:
        return "things"

    return app


def disconnects() -> App:
    """Be left by its clients, and leave them."""
    app = FastAPI()

    @app.post("/upload")
    async def upload(request: Request) -> int:
        return len(await request.body())

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0.001)

        return StreamingResponse(chunks())

    async def silent(_scope: Any, _receive: Any, _send: Any) -> None: ...

    async def unfinished(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})

    app.mount("/silent", silent)
    app.mount("/unfinished", unfinished)
    return app


class Header(BaseHTTPMiddleware):
    """The middleware that people write first."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Add a header, or answer without the application."""
        if request.url.path == "/short-cut":
            return PlainTextResponse("short", status_code=202)
        response = await call_next(request)
        response.headers["x-middle"] = "1"
        return response


def middleware() -> App:
    """Have middleware below the server span."""
    app = FastAPI()
    app.add_middleware(GZipMiddleware)
    app.add_middleware(Header)
    app.include_router(payments(), prefix="/payments")

    @app.get("/unhandled")
    async def unhandled() -> None:
        raise RuntimeError

    return app


def lifespan() -> App:
    """Have state from its lifespan."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[dict[str, str]]:
        yield {"opened": "yes"}

    app = FastAPI(lifespan=life)

    @app.get("/state/{name}")
    async def state(name: str, request: Request) -> str:
        return f"{name}{request.state.opened}"

    return app


def sockets() -> App:
    """Have a route for WebSocket connections only."""
    app = FastAPI()

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    return app


def frontend() -> App:
    """Serve files wherever no route matches."""
    app = FastAPI()
    app.frontend("/pages", directory=HERE)

    @app.get("/pages/{page}")
    async def page(page: str) -> str:
        return page

    return app


def fastapi_below_starlette() -> App:
    """Mount FastAPI where FastAPI does not see the mount."""
    app = FastAPI()

    @app.get("/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    return Starlette(routes=[Mount("/sub", app), Mount("/of/{tenant}", app)])


def starlette() -> App:
    """Be no FastAPI application at all."""
    return Starlette(
        routes=[
            Route("/things/{thing}", echo),
            Mount("/sub/{tenant}", routes=[Route("/{name}", echo), Mount("/inner", plain)]),
            Mount("/static", StaticFiles(directory=HERE)),
        ]
    )


APPS: dict[str, Callable[[], App]] = {
    maker.__name__: maker
    for maker in (
        routers, mounts, hosts, behind_a_prefix, responses, errors, late_errors, methods, cors, disconnects,
        middleware, lifespan, sockets, frontend, fastapi_below_starlette, starlette,
    )
}  # fmt: skip
APPS["plain"] = lambda: plain
