"""Everything that an application in this process answers, kept for a search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from platform_lib.testing._client import ASGIApp, Message


@dataclass(slots=True)
class SeenResponse:
    """One answer: headers by name, and the body so far."""

    headers: dict[str, str]
    content: bytearray = field(default_factory=bytearray)


def remember_responses(app: ASGIApp, seen: dict[str, SeenResponse]) -> ASGIApp:
    """Return *app* as it is, its answers noted in *seen* by number, method and status."""

    async def remembering(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        answer: SeenResponse | None = None

        async def noting(message: Message) -> None:
            nonlocal answer
            if message["type"] == "http.response.start":
                headers = {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]
                }
                answer = SeenResponse(headers)
                seen[f"{len(seen) + 1} {scope['method']} {message['status']}"] = answer
            elif message["type"] == "http.response.body" and answer is not None:
                answer.content += message.get("body", b"")
            await send(message)

        await app(scope, receive, noting)

    return remembering
