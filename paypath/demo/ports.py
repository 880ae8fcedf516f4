"""Which port each server of the demo gets, and what to say when the usual one is taken."""

from __future__ import annotations

from collections.abc import Callable

from platform_lib.engines import free_port, holder_of, port_is_taken
from platform_lib.errors import PlatformError


class PortTaken(PlatformError):
    """A port was asked for by number and somebody else holds it."""


def choose_port(name: str, *, asked: int | None, usual: int, say: Callable[[str], None]) -> int:
    """Return the port for *name*: the one asked for, else the usual one, else a free one (and say so).

    Raises:
        PortTaken: when a port was asked for and is taken; names what holds it.
    """
    if asked is not None:
        if port_is_taken(asked):
            raise PortTaken(
                f"{name}: port {asked} is held by {holder_of(asked)}; stop it, ask for another port, "
                "or ask for none and a free one is taken"
            )
        return asked
    if not port_is_taken(usual):
        return usual
    chosen = free_port()
    say(f"{name}: port {usual} is held by {holder_of(usual)}; using {chosen} instead")
    return chosen
