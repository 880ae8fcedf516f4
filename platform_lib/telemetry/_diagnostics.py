"""What telemetry says about itself: warnings that never leave by telemetry, each at most once a minute."""

from __future__ import annotations

import logging

_OWN = ("opentelemetry", "platform_lib.telemetry")
_AGAIN_AFTER_SECONDS = 60.0
_MOST_KINDS = 256


def about_telemetry(name: str) -> bool:
    """Whether the logger *name* speaks about telemetry; sending its records would cause further ones."""
    return name.startswith(_OWN)


class Quieting:
    """Lets a message of one kind through once a minute, with the count of those that were held back.

    A kind is a logger, a message before its arguments and, where the first argument is a text, that one: what
    the message is about.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], tuple[float, int]] = {}

    def allows(self, record: logging.LogRecord) -> bool:
        """Whether *record* is to be written; the time is the record's own."""
        subject = record.args[0] if isinstance(record.args, tuple) and record.args else None
        kind = (record.name, str(record.msg), subject if isinstance(subject, str) else "")
        last, held_back = self._kinds.get(kind, (float("-inf"), 0))
        if record.created - last < _AGAIN_AFTER_SECONDS:
            self._kinds[kind] = last, held_back + 1
            return False
        if len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = record.created, 0
        if held_back:
            record.held_back = held_back
        return True
