"""The port to a broker: what the relay needs, and nothing of any one broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from platform_lib.errors import PlatformError


class EventRejected(PlatformError):
    """The broker cannot take this message as it is (too large, illegal subject); waiting cannot help."""

    def __init__(self, subject: str, reason: str) -> None:
        self.subject = subject
        self.reason = reason
        super().__init__(f"event on {subject}: rejected: {reason}")


class Publisher(Protocol):
    """What publishes a message and knows that it is stored."""

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Return once the broker has stored the message.

        Guarantee: a second publish with the same *message_id* within the broker's window stores nothing.
        Errors: `NotSent` and `UnknownOutcome` when the broker is at fault and the message should wait;
        `EventRejected` when the message is at fault.
        """
        ...
