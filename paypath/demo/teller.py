"""Says what happens: numbered steps, a mark, the subject, a dim detail, the time it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from paypath.demo.story import Step
from platform_lib.clock import Clock

_steps = 5


class Teller:
    """Writes to one stream; colours only when told that the stream shows them."""

    def __init__(self, stream: TextIO, *, colour: bool, clock: Clock) -> None:
        self._stream = stream
        self._colour = colour
        self._clock = clock
        self._began = clock.monotonic()
        self._number = 0

    @property
    def seconds(self) -> float:
        """Return the time since the teller was made."""
        return self._clock.monotonic() - self._began

    def say(self, text: str = "") -> None:
        """Write one line."""
        click.echo(text, file=self._stream, color=self._colour)

    def step(self, title: str) -> None:
        """Begin the next numbered step."""
        self._number += 1
        self.say(click.style(f"[{self._number}/{_steps}] {title}", bold=True))

    def line(self, subject: str, detail: str, *, ok: bool, seconds: float | None = None) -> None:
        """Write one result."""
        mark = click.style("✓", fg="green") if ok else click.style("✗", fg="red")
        took = "" if seconds is None else f"  {seconds * 1000:.0f} ms"
        self.say(f"  {mark} {subject:<9} {click.style(detail + took, dim=True)}")

    def note(self, text: str) -> None:
        """Write something worth knowing that is no result."""
        self.say(f"  {click.style('·', fg='yellow')} {text}")

    def block(self, lines: list[str]) -> None:
        """Write indented lines."""
        self.say()
        for line in lines:
            self.say(f"      {line}")
        self.say()

    def played(self, step: Step) -> None:
        """Write one step of the story."""
        mark = click.style("✓", fg="green") if step.ok else click.style("✗", fg="red")
        detail = step.outcome if step.ok else f"{step.outcome} (expected: {step.expected})"
        time = click.style(f"{step.milliseconds:6.0f} ms", dim=True)
        self.say(f"  {mark} {step.title:<34} {detail:<48} {time}")

    @contextmanager
    def timed(self) -> Iterator[Callable[[str, str], None]]:
        """Give a function that writes a good result with the time since the block began."""
        began = self._clock.monotonic()

        def done(subject: str, detail: str) -> None:
            self.line(subject, detail, ok=True, seconds=self._clock.monotonic() - began)

        yield done
