"""Whether there is a container engine, and the containers on it that are ours."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker
    from docker.errors import APIError

project_label = "paypath.project"
checkout_label = "paypath.checkout"
owner_label = "paypath.owner"
_answer_seconds = 3
_socket_scheme = "unix://"
_default_address = f"{_socket_scheme}/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """A container engine that answers.

    Attributes:
        address: where it answers.
        version: of the engine.
    """

    address: str
    version: str


@dataclass(frozen=True, slots=True)
class NoContainerEngine:
    """No container engine answers; *reason* says why, in one phrase."""

    reason: str


def container_engine() -> ContainerEngine | NoContainerEngine:
    """Look for a container engine that speaks Docker's API, within a few seconds.

    Looks anew at each call, so that an engine started meanwhile is found. Honours ``DOCKER_HOST`` and
    contexts.
    """
    try:
        import docker  # noqa: PLC0415  # takes 0.2 s, and only container engines need it
    except ImportError:
        return NoContainerEngine("the Python package docker is not installed; install paypath[testing]")
    address = _address()
    try:
        _knock(address)
        with docker_client(timeout=_answer_seconds) as client:
            return ContainerEngine(address=address, version=str(client.version()["Version"]))
    except (docker.errors.DockerException, OSError, ValueError) as error:
        return NoContainerEngine(f"no container engine at {address}: {_cause(error)}")


def _address() -> str:
    """Return where Docker's client looks: the environment, then the current context, then the default."""
    from docker.context import ContextAPI  # noqa: PLC0415  # as above

    context = ContextAPI.kwargs_from_context(environment=os.environ)
    return os.environ.get("DOCKER_HOST") or str(context.get("base_url") or _default_address)


def _knock(address: str) -> None:
    """Connect to a socket file before Docker's client does: where nobody answers, it leaves a socket open."""
    if address.startswith(_socket_scheme):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(_answer_seconds)
            knocking.connect(address.removeprefix(_socket_scheme))


def _cause(error: BaseException) -> str:
    """Return the reason in a few words; Docker's client wraps it four times over."""
    text = f"{type(error).__name__} {error}"
    for hint, words in (
        ("FileNotFoundError", "no such socket"),
        ("PermissionError", "this user may not use it"),
        ("ConnectionRefusedError", "connection refused"),
        ("Connection refused", "connection refused"),
        ("timed out", f"no answer within {_answer_seconds} s"),
    ):
        if hint in text:
            return words
    return str(error)


@contextmanager
def docker_client(*, timeout: int = 60) -> Iterator[docker.DockerClient]:
    """Yield a client of the container engine and close it at the end; *timeout* in seconds for each call."""
    import docker  # noqa: PLC0415  # as above

    client = docker.from_env(timeout=timeout)
    try:
        yield client
    finally:
        client.close()


def checkout() -> Path:
    """Return the checkout that this process works in: the nearest folder with a ``.git``, else this one."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def labels() -> dict[str, str]:
    """Return the labels of a container that this process starts: project, checkout, owner."""
    folder = checkout()
    return {project_label: folder.name, checkout_label: str(folder), owner_label: _owner(os.getpid())}


def remove_containers(folder: Path | None = None) -> list[str]:
    """Remove all containers of a checkout (the current one), whoever started them; return their names."""
    with docker_client() as client:
        return _remove(client, f"{checkout_label}={folder or checkout()}", only_abandoned=False)


def remove_abandoned_containers() -> list[str]:
    """Remove the containers whose owner, a process of this machine, has gone; return their names."""
    with docker_client() as client:
        return _remove(client, owner_label, only_abandoned=True)


def _remove(client: docker.DockerClient, label: str, *, only_abandoned: bool) -> list[str]:
    from docker.errors import APIError  # noqa: PLC0415  # as above

    removed = []
    for container in client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
        if only_abandoned and not _abandoned(container.labels[owner_label]):
            continue
        try:
            container.remove(force=True, v=True)
        except APIError as error:
            if is_gone(error):
                continue
            raise
        removed.append(str(container.name))
    return removed


def is_gone(error: APIError) -> bool:
    """Return whether the engine refused to remove what is gone already, or about to go."""
    return error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}


def _owner(pid: int) -> str:
    import psutil  # noqa: PLC0415  # as above

    return f"{socket.gethostname()}/{pid}/{psutil.Process(pid).create_time():.0f}"


def _abandoned(owner: str) -> bool:
    import psutil  # noqa: PLC0415  # as above

    host, _, rest = owner.partition("/")
    if host != socket.gethostname():
        return False  # a shared engine: only the other machine can tell
    try:
        return _owner(int(rest.partition("/")[0])) != owner
    except psutil.NoSuchProcess:
        return True
