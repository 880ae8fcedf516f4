"""PostgreSQL and NATS in containers, by testcontainers. Imported only when a container is wanted."""

from __future__ import annotations

import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from docker.errors import APIError, DockerException
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.exceptions import ContainerStartException
from testcontainers.core.utils import inside_container

from platform_lib.engines._answers import nats_answers, postgres_answers
from platform_lib.engines._children import Child
from platform_lib.engines._docker import is_gone, labels, owner_label, remove_abandoned_containers
from platform_lib.engines._embedded import wait_until_ready
from platform_lib.engines._engine import Announce, EngineUnavailable, loopback
from platform_lib.engines._ports import holder_of, port_is_taken
from platform_lib.engines._postgres import initdb_options, postgres_user, throw_away_options
from platform_lib.engines._scratch import scratch_folder
from platform_lib.engines.images import image_for

with warnings.catch_warnings():
    # testcontainers 4.15 uses what it has deprecated itself.
    warnings.simplefilter("ignore", DeprecationWarning)
    from testcontainers.community.nats import NatsContainer

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

_password = "paypath"  # noqa: S105  # of a throw-away server on the loopback address
_start_seconds = 60
_look_every_seconds = 0.05
_postgres_port = 5432
_nats_port = 4222
_start_failures = (DockerException, ContainerStartException, TimeoutError, RuntimeError, ConnectionError)

# The reaper of testcontainers is one more image to pull; ours needs none.
testcontainers_config.ryuk_disabled = True


class _Postgres(PostgresContainer):
    """Leaves the waiting to `_wait_until_ready`.

    Its own looks once a second, goes on for two minutes after the container has ended, and leaves a socket
    open for each look.
    """

    def _connect(self) -> None:
        pass


class _Nats(NatsContainer):
    """The same for NATS."""

    def _healthcheck(self) -> None:
        pass


@contextmanager
def postgres_container(port: int | None, announce: Announce) -> Iterator[tuple[str, str]]:
    """Run a throw-away server in a container; yield its URL and image."""
    image = image_for("postgres", announce)
    container = _Postgres(
        image, username=postgres_user, password=_password, dbname="postgres", driver=None, shm_size="256m"
    )
    container.with_env("POSTGRES_INITDB_ARGS", " ".join(initdb_options))
    options = (*throw_away_options, "max_wal_size=256MB", "max_connections=200", "timezone=UTC")
    container.with_command(["postgres", *(word for option in options for word in ("-c", option))])
    answers = partial(postgres_answers, user=postgres_user)
    with _running("postgres", container, _postgres_port, port, answers) as address:
        yield f"postgresql://{postgres_user}:{_password}@{address}/postgres", image


@contextmanager
def nats_container(port: int | None, announce: Announce) -> Iterator[tuple[str, str]]:
    """Run a throw-away server with JetStream in a container; yield its URL and image."""
    image = image_for("nats", announce)
    container = _Nats(image, jetstream=True)
    with _running("nats", container, _nats_port, port, nats_answers) as address:
        yield f"nats://{address}", image


@contextmanager
def _running(
    resource: Literal["postgres", "nats"],
    container: DockerContainer,
    inner_port: int,
    port: int | None,
    answers: Callable[[str, int], bool],
) -> Iterator[str]:
    """Run *container* with its port published, as *port* if given; yield where to reach it.

    Where the engine runs on this machine, the port is published on the loopback address, so that no other
    machine reaches it. The container is removed at the end: by this process, or by a reaper when this process
    is killed, or by the next start when both are.
    """
    if port is not None and port_is_taken(port):
        raise _taken(resource, port)
    remove_abandoned_containers()
    ours = labels()
    container.with_kwargs(**container._kwargs, labels=ours)  # noqa: SLF001  # it replaces what was given before
    here = _engine_is_here(container)
    # Docker takes the pair of address and port, which testcontainers passes on and does not know of.
    container.ports = {str(inner_port): (loopback, port) if here else port}  # type: ignore[dict-item]
    with _reaper(ours):
        try:
            container.start()
            host = loopback if here else container.get_container_host_ip()
            published = container.get_exposed_port(inner_port)
            _wait_until_ready(container, partial(answers, host, published))
        except _start_failures as error:
            log = _last_log(container)
            _stop(container)
            if port is not None and isinstance(error, APIError) and port_is_taken(port):
                raise _taken(resource, port) from None
            raise EngineUnavailable(
                resource, f"the container of image {container.image} did not start: {error}{log}"
            ) from error
        except BaseException:
            _stop(container)
            raise
        try:
            yield f"{host}:{published}"
        finally:
            _stop(container)


def _wait_until_ready(container: DockerContainer, is_ready: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _start_seconds
    while not is_ready():
        container.reload()
        if container.status not in {"created", "running"}:
            raise ContainerStartException(f"it has {container.status}")
        if time.monotonic() > give_up:
            raise TimeoutError(f"it was not ready after {_start_seconds} s")
        time.sleep(_look_every_seconds)  # law-5: waits for a real server, whose time is the machine's


def _stop(container: DockerContainer) -> None:
    try:
        container.stop()
    except APIError as error:  # `remove_containers` may have been here before
        container.get_docker_client().client.close()
        if not is_gone(error):
            raise


def _engine_is_here(container: DockerContainer) -> bool:
    """Return whether what the engine publishes on its loopback address can be reached on ours.

    Not so for an engine on another machine, nor from inside a container that only has the engine's socket.
    The gateway of the engine's network tells: where the engine shares our network, that is an address of
    ours.
    """
    client = container.get_docker_client()
    if client.host() != "localhost":
        return False
    if not inside_container():
        return True
    network = client.client.api.inspect_network("bridge")["IPAM"]["Config"][0]
    gateway = network.get("Gateway") or str(ip_network(network["Subnet"])[1])  # not every engine tells
    try:
        with socket.socket() as probe:
            probe.bind((gateway, 0))
    except OSError:
        return False
    return True


def _last_log(container: DockerContainer) -> str:
    try:
        output, errors = container.get_logs()
    except (DockerException, ContainerStartException):
        return ""
    lines = (output + errors).decode(errors="replace").splitlines()[-15:]
    return "".join(f"\n{line}" for line in lines)


def _taken(resource: str, port: int) -> EngineUnavailable:
    return EngineUnavailable(
        resource, f"port {port} is in use by {holder_of(port)}; stop that process or choose another port"
    )


@contextmanager
def _reaper(ours: dict[str, str]) -> Iterator[None]:
    with scratch_folder("reaper") as folder:
        script = Path(__file__).with_name("_container_reaper.py")
        child = Child(
            [sys.executable, "-P", script, f"{owner_label}={ours[owner_label]}"],
            log=folder / "reaper.log",
            death_signal=signal.SIGTERM,
        )
        wait_until_ready("containers", child, lambda: "ready" in child.output(), "")
        try:
            yield
        finally:
            child.stop(signal.SIGKILL)
