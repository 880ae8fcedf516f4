"""What every engine has in common, whichever way the server behind it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from platform_lib.errors import PlatformError

EngineName = Literal["external", "container", "embedded"]
"""Who runs a server: somebody else, a container, or a child process from a wheel."""

EngineChoice = Literal["auto", "embedded", "container"]
"""What can be asked for; ``auto`` takes the preferred kind where it can run, else the other one."""

Announce = Callable[[str], None]
"""What is told, in one line, that something slow begins, such as pulling an image."""

loopback = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Engine:
    """A running server and the way it was come by.

    Attributes:
        resource: what it serves as: ``postgres`` or ``nats``.
        name: who runs it: somebody else (``external``), a container engine, or this process (``embedded``).
        url: where it listens; the user in it may do everything on this server.
        reason: why this engine and not another, in one phrase.
        detail: the image or the version that runs.
    """

    resource: str
    name: EngineName
    url: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        """Return the line that a summary shows; never the URL, which may hold a password."""
        detail = f"{self.detail}; " if self.detail else ""
        return f"{self.resource} {self.name} ({detail}{self.reason})"


class EngineUnavailable(PlatformError):
    """No server could be had for a resource; the message says why and what to do."""

    def __init__(self, resource: str, fact: str) -> None:
        self.resource = resource
        super().__init__(f"{resource}: {fact}")
