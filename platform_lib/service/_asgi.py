"""The types of ASGI 3, so that the core needs no framework to name them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
"""What the server knows of a connection (ASGI 3, "Connection scope")."""

Message: TypeAlias = MutableMapping[str, Any]
"""One event between server and application (ASGI 3, "Events")."""

Receive: TypeAlias = Callable[[], Awaitable[Message]]
"""What an application awaits for the next message."""

Send: TypeAlias = Callable[[Message], Awaitable[None]]
"""What an application answers with, message by message."""

ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application, or middleware around one."""
