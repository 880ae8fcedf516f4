"""What the embedded servers share: a port to listen on, and patience until they do."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

from platform_lib.engines._children import Child
from platform_lib.engines._engine import EngineUnavailable
from platform_lib.engines._ports import free_port, holder_of, port_is_taken

_start_seconds = 30.0
_look_every_seconds = 0.01
_port_attempts = 5


class PortTaken(Exception):
    """The server found its port in use."""


@contextlib.contextmanager
def listening_on(
    resource: str, port: int | None, start: Callable[[int], Child], stop: Callable[[Child], object]
) -> Iterator[tuple[Child, int]]:
    """Run a server on *port*, or on a free one; *start* returns when it is ready or raises `PortTaken`.

    Between finding a free port and using it another process may take it; then another port is tried, up to
    five times. A port that was asked for is never exchanged for another.

    Raises:
        EngineUnavailable: the port is in use; names the holder.
    """
    if port is not None and port_is_taken(port):
        raise _taken(resource, port)
    for attempt in range(1, _port_attempts + 1):
        chosen = port or free_port()
        try:
            child = start(chosen)
        except PortTaken:
            if port is not None or attempt == _port_attempts:
                raise _taken(resource, chosen) from None
            continue
        try:
            yield child, chosen
        finally:
            stop(child)
        return


def _taken(resource: str, port: int) -> EngineUnavailable:
    return EngineUnavailable(
        resource, f"port {port} is in use by {holder_of(port)}; stop that process or choose another port"
    )


def wait_until_ready(
    resource: str, child: Child, is_ready: Callable[[], bool], port_taken_words: str
) -> None:
    """Return when *is_ready*; stop the child and raise when it ends first or takes half a minute.

    Raises:
        PortTaken: the child ended and its output has *port_taken_words*.
        EngineUnavailable: it ended for another reason, or did not become ready; has the end of its output.
    """
    try:
        _wait_until_ready(resource, child, is_ready, port_taken_words)
    except BaseException:  # an impatient Ctrl-C too
        child.stop(signal.SIGKILL)
        raise


def _wait_until_ready(
    resource: str, child: Child, is_ready: Callable[[], bool], port_taken_words: str
) -> None:
    give_up = time.monotonic() + _start_seconds
    while not is_ready():
        status = child.poll()
        if status is not None:
            output = child.output(last_lines=15)
            if port_taken_words in output:
                raise PortTaken
            raise EngineUnavailable(
                resource, f"the server ended with status {status} while starting:\n{output}"
            )
        if time.monotonic() > give_up:
            raise EngineUnavailable(
                resource,
                f"the server was not ready after {_start_seconds:.0f} s:\n{child.output(last_lines=15)}",
            )
        time.sleep(_look_every_seconds)  # law-5: waits for a real server, whose time is the machine's
