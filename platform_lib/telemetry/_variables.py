"""The `OTEL_*` variables, by the OpenTelemetry specification: blank is unset, and a mistake is told.

Every mistake is collected, so that an operator learns of all of them at once.
Source: OpenTelemetry specification 1.60, "Environment variables"; OTLP exporter configuration.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from platform_lib.errors import ConfigError
from platform_lib.redaction import redact

_LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Value:
    """What an operator set.

    Attributes:
        name: the variable.
        text: its value without blanks around it, never empty.
    """

    name: str
    text: str


class Variables:
    """Reads variables and keeps what is wrong with them.

    Attributes:
        mistakes: subject and fact, then what to do.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.mistakes: list[tuple[str, str]] = []

    def first(self, *names: str) -> Value | None:
        """Return the first of *names* that is set."""
        for name in names:
            text = self._environ.get(name, "").strip()
            if text:
                return Value(name, text)
        return None

    def text(self, *names: str) -> str:
        """Return the value of the first of *names* that is set; empty if none is."""
        value = self.first(*names)
        return value.text if value else ""

    def is_true(self, name: str) -> bool:
        """Whether *name* is `true` in any case; anything else is false, as the specification has it."""
        return self.text(name).lower() == "true"

    def choices(self, name: str, known: Collection[str], advice: str) -> frozenset[str] | None:
        """Return the words of a comma-separated list, in lower case; None if *name* is not set."""
        value = self.first(name)
        if value is None:
            return None
        words = frozenset(word.strip().lower() for word in value.text.split(",") if word.strip())
        for unknown in sorted(words - set(known)):
            self.mistake(name, f"{unknown!r} is not supported here", advice)
        return words

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return one of the words *default* and *others*, in lower case; *default* if *name* is not set."""
        value = self.first(name)
        if value is None:
            return default
        word = value.text.lower()
        if word in (default, *others):
            return word
        self.mistake(
            name, f"{value.text!r} is not supported here", f"set one of {', '.join((default, *others))}"
        )
        return default

    def seconds(self, *names: str, default: float) -> float:
        """Return an exporter's timeout in seconds; what looks like milliseconds is refused.

        The specification says milliseconds, OpenTelemetry's Python packages read seconds: 10000 would be a
        wait of almost three hours.
        """
        value = self.first(*names)
        if value is None:
            return default
        number = _number(value.text)
        if number is None or number <= 0:
            self.mistake(value.name, f"{value.text!r} is no time", "give seconds above 0, such as 2")
            return default
        if number > _LONGEST_SECONDS:
            self.mistake(
                value.name,
                f"{value.text} seconds looks like milliseconds; Python reads this variable in seconds",
                f"give seconds, such as {number / 1000:g}; at most {_LONGEST_SECONDS:g}",
            )
            return default
        return number

    def milliseconds(self, name: str, *, default: float) -> float:
        """Return an interval that the specification gives in milliseconds, in seconds."""
        value = self.first(name)
        if value is None:
            return default
        number = _number(value.text)
        if number is None or number <= 0:
            self.mistake(name, f"{value.text!r} is no interval", "give milliseconds above 0, such as 60000")
            return default
        return number / 1000

    def count(self, name: str, *, default: int) -> int:
        """Return a whole number above zero."""
        value = self.first(name)
        if value is None:
            return default
        if not value.text.isdecimal() or int(value.text) < 1:
            self.mistake(
                name, f"{value.text!r} is no size", f"give a whole number above 0, such as {default}"
            )
            return default
        return int(value.text)

    def mistake(self, subject: str, fact: str, advice: str) -> None:
        """Keep a mistake; the same one once."""
        told = (redact(f"{subject}: {fact}"), advice)
        if told not in self.mistakes:
            self.mistakes.append(told)

    def settle(self) -> None:
        """Raise `ConfigError` with every mistake, if there is any."""
        if not self.mistakes:
            return
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        lines = [f"telemetry: the configuration cannot be used, {count}:"]
        for told, advice in self.mistakes:
            lines += [f"  {told}", f"    {advice}"]
        raise ConfigError("\n".join(lines))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
