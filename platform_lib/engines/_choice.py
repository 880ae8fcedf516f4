"""Which engine serves a resource, and why."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Literal
from urllib.parse import urlsplit

from platform_lib.engines._docker import ContainerEngine, NoContainerEngine, container_engine
from platform_lib.engines._engine import Announce, Engine, EngineChoice, EngineUnavailable
from platform_lib.engines._nats import embedded_nats
from platform_lib.engines._postgres import embedded_postgres

EngineKind = Literal["embedded", "container"]
"""The kinds of engine that can be started here."""

_Run = Callable[[int | None, Announce], AbstractContextManager[tuple[str, str]]]

_connect_seconds = 3.0


@contextmanager
def postgres_engine(
    *,
    choice: EngineChoice = "auto",
    prefer: EngineKind = "embedded",
    url: str | None = None,
    port: int | None = None,
    announce: Announce = print,
) -> Iterator[Engine]:
    """Have a PostgreSQL 18 server while the context is open; its data is thrown away at the end.

    A configured *url* wins unless *choice* names an engine; then comes what *choice* says; ``auto`` takes
    what is preferred and, where that cannot be had, the other one. *announce* hears of that and of whatever
    takes long.

    Args:
        choice: ``auto``, or the engine that it must be.
        prefer: which engine ``auto`` tries first.
        url: of a server that somebody else runs.
        port: the port of the loopback address to listen on; a free one if not given.
        announce: called with one line of text.

    Raises:
        EngineUnavailable: no server could be had; names the reasons, or the holder of *port*.
    """
    run: dict[EngineKind, _Run] = {
        "embedded": lambda port, _: embedded_postgres(port),
        "container": _postgres_container,
    }
    with ExitStack() as stack:
        yield _choose("postgres", run, stack, choice, prefer, url, port, announce)


@contextmanager
def nats_engine(
    *,
    choice: EngineChoice = "auto",
    prefer: EngineKind = "embedded",
    url: str | None = None,
    port: int | None = None,
    announce: Announce = print,
) -> Iterator[Engine]:
    """Have a NATS 2 server with JetStream while the context is open; the rest is as for `postgres_engine`."""
    run: dict[EngineKind, _Run] = {
        "embedded": lambda port, _: embedded_nats(port),
        "container": _nats_container,
    }
    with ExitStack() as stack:
        yield _choose("nats", run, stack, choice, prefer, url, port, announce)


def _postgres_container(port: int | None, announce: Announce) -> AbstractContextManager[tuple[str, str]]:
    from platform_lib.engines._containers import postgres_container  # noqa: PLC0415  # loads testcontainers, 0.6 s

    return postgres_container(port, announce)


def _nats_container(port: int | None, announce: Announce) -> AbstractContextManager[tuple[str, str]]:
    from platform_lib.engines._containers import nats_container  # noqa: PLC0415  # as above

    return nats_container(port, announce)


def _choose(
    resource: str,
    run: Mapping[EngineKind, _Run],
    stack: ExitStack,
    choice: EngineChoice,
    prefer: EngineKind,
    url: str | None,
    port: int | None,
    announce: Announce,
) -> Engine:
    def start(kind: EngineKind, reason: str) -> Engine:
        if kind == "container":
            _require_container_engine(resource)
        found, detail = stack.enter_context(run[kind](port, announce))
        return Engine(resource, kind, found, reason, detail)

    if choice != "auto":
        return start(choice, "asked for")
    if url:
        _require_listener(resource, url)
        return Engine(resource, "external", url, "its URL is configured")
    try:
        return start(prefer, _preferred[prefer])
    except EngineUnavailable as error:
        if port is not None and _complains_about(port, error):
            raise
        other: EngineKind = "embedded" if prefer == "container" else "container"
        fact = str(error).removeprefix(f"{resource}: ")
        # A missing container engine is an ordinary state and has its place in the reason; all else is news.
        announce(f"{resource}: not {prefer} but {other}: {fact}")
        return start(other, f"{prefer} is not available: {fact.splitlines()[0]}")


_preferred: dict[EngineKind, str] = {
    "container": "a container engine runs",
    "embedded": "preferred, needs no container engine",
}


def _complains_about(port: int, error: EngineUnavailable) -> bool:
    return str(error).startswith(f"{error.resource}: port {port} ")


def _require_container_engine(resource: str) -> ContainerEngine:
    engine = container_engine()
    if isinstance(engine, NoContainerEngine):
        raise EngineUnavailable(resource, engine.reason)
    return engine


def _require_listener(resource: str, url: str) -> None:
    """Complain early and by name, rather than let the first query time out."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or {"postgres": 5432, "nats": 4222}[resource])
    try:
        socket.create_connection(address, timeout=_connect_seconds).close()
    except OSError as error:
        raise EngineUnavailable(
            resource,
            f"nothing answers at {address[0]}:{address[1]}, which the configured URL names ({error}); "
            "start it or unset the URL",
        ) from error
