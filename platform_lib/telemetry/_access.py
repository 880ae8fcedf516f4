"""The access line of a request that went well, written without a log record where nothing would see one.

It is what `JsonLines` would have written. Where the logging tree is not as `configure_logging` left it, or
the form is another, or the line holds data of the caller's, the line goes through logging as any other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._logs import JsonLines, PlatformHandler

access = logging.getLogger("platform_lib.access")
_root = logging.getLogger()

# Formatting a fraction costs more than looking it up.
_thousandths = tuple(f".{number:03d}" for number in range(1000))
_hundredths = tuple(f".{number:02d}" for number in range(100))
_second: tuple[int, str] = (-1, "")


def quick_handler() -> PlatformHandler | None:
    """Return the handler to hand finished lines to, or None if the record has to go through logging."""
    handlers = _root.handlers
    if len(handlers) != 1 or access.handlers or access.filters or not access.propagate:
        return None
    handler = handlers[0]
    if type(handler) is not PlatformHandler or type(handler.formatter) is not JsonLines or handler.filters:
        return None
    return handler if access.isEnabledFor(logging.INFO) else None


Told = tuple[Group, bytes, int, int]
"""What an access line is made of: group, trace id and span id, end in Unix nanoseconds, nanoseconds taken."""


def access_lines(handler: PlatformHandler, told: Iterable[Told]) -> list[str]:
    """Return the lines of requests that went well, for *handler*.

    They leave by OTLP besides, where records do.
    """
    global _second  # noqa: PLW0603  # the text of the second that most lines share
    records = handler.records
    second, begin = _second
    lines: list[str] = []
    for group, ids, end, nanoseconds in told:
        if records is not None:
            records.put_access(access.name, group, ids, end, nanoseconds)
        thousandths = end // 1_000_000
        if thousandths // 1000 != second:
            second = thousandths // 1000
            begin = datetime.fromtimestamp(second, UTC).strftime('{"time": "%Y-%m-%dT%H:%M:%S')
            _second = second, begin
        if group.handler is not handler:
            _address(group, handler)
        text = ids.hex()
        hundredths = (nanoseconds + 5_000) // 10_000  # of a millisecond
        lines.append(
            f'{begin}{_thousandths[thousandths % 1000]}{group.head}{text[:32]}", "span_id": "{text[32:]}"'
            f"{group.line}{hundredths // 100}{_hundredths[hundredths % 100]}{group.tail}"
        )
    return lines


def _address(group: Group, handler: PlatformHandler) -> None:
    service = handler.formatter.service if isinstance(handler.formatter, JsonLines) else '""'
    group.handler = handler
    group.head = (
        f'+00:00", "level": "INFO", "logger": "platform_lib.access", "message": {group.message}, '
        f'"service": {service}, "trace_id": "'
    )
