"""The assertion that no canary came out anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from platform_lib.testing._canaries import Canaries, Leak
from platform_lib.testing._outputs import dump_broker, dump_database, passages


def assert_no_secret(canaries: Canaries, /, **outputs: object) -> None:
    """Assert that none of *canaries* is in *outputs*, given by what they are.

    An output is a text or bytes, a response, `CapturedSpans`, `CapturedLogs`, `CapturedMetrics`, an error or
    `Problem`, settings, a `ServiceProcess`, or a mapping or list of these (`dump_database`, `dump_broker`).

    Raises:
        AssertionError: lists every leak: which canary, where, and what stands around it.
    """
    leaks = [leak for place, output in outputs.items() for leak in leaks_in(canaries, place, output)]
    if leaks:
        lines = "\n  ".join(map(str, leaks))
        raise AssertionError(
            f"canaries: {len(leaks)} leaked; redact them before they are sent or stored\n  {lines}"
        )


def leaks_in(canaries: Canaries, place: str, output: object) -> list[Leak]:
    """Return every leak in one output."""
    return [leak for where, text in passages(place, output) for leak in canaries.leaks(where, text)]


@dataclass(slots=True)
class NoSecret:
    """Searches everything that the test has: call it at the end, with what the fixtures do not know.

    Attributes:
        canaries: what it looks for.
        known: outputs of fixtures, by what they are; asked for when the search begins.
        database_url: of the database to search, if the test has one.
        broker_url: of the broker to search, if the test has one.
    """

    canaries: Canaries
    known: dict[str, Callable[[], Any]] = field(default_factory=dict)
    database_url: str | None = None
    broker_url: str | None = None

    async def __call__(self, **outputs: object) -> None:
        """Search *outputs* and everything known; see `assert_no_secret`."""
        everything = {name: output() for name, output in self.known.items()} | outputs
        if self.database_url:
            everything["database"] = await dump_database(self.database_url)
        if self.broker_url:
            everything["broker"] = await dump_broker(self.broker_url)
        assert_no_secret(self.canaries, **everything)
