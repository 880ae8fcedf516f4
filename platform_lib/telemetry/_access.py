"""The access line of a request that went well, written without a log record where nothing would see one.

It is what `JsonLines` would have written. Where the logging tree is not as `configure_logging` left it, or
the form is another, or the line holds data of the caller's, the line goes through logging as any other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._logs import JsonLines, PlatformHandler

if TYPE_CHECKING:
    from platform_lib.telemetry._endings import Ended

access = logging.getLogger("platform_lib.access")
_root = logging.getLogger()

_SECOND, _MILLISECOND, _HUNDREDTH, _HALF = 1_000_000_000, 1_000_000, 10_000, 5_000  # nanoseconds
_MILLISECONDS = 1000  # of a second
# Formatting a number costs more than looking it up.
_thousandths = tuple(f".{number:03d}" for number in range(1000))
_MOST_TEXTS = 4096
_texts: list[str] = []  # what ends a line, by hundredths of a millisecond, as far as was needed yet
_last_second: tuple[int, str] = (0, "")


def quick_handler() -> PlatformHandler | None:
    """Return the handler to hand finished lines to, or None if the record has to go through logging."""
    handlers = _root.handlers
    if len(handlers) != 1 or access.handlers or access.filters or not access.propagate:
        return None
    handler = handlers[0]
    if type(handler) is not PlatformHandler or type(handler.formatter) is not JsonLines or handler.filters:
        return None
    return handler if access.isEnabledFor(logging.INFO) else None


def access_lines(handler: PlatformHandler, ended: Sequence[Ended], offset: int) -> str:
    """Return the lines of requests that went well, for *handler*.

    They leave by OTLP besides, where records do. *offset* is what the clock is ahead of the performance
    counter, in nanoseconds.
    """
    records = handler.records
    if records is not None:
        for group, moment, nanoseconds, ids, _ in ended:
            records.put_access(access.name, group, ids, moment + offset, nanoseconds)
    # Three for each: two of the trace, one of the span.
    digits = iter(b"".join([ids for _, _, _, ids, _ in ended]).hex(" ", 8).split(" "))
    texts, known = _texts, len(_texts)
    head = ""
    second, began = _second_of(ended[0][1], offset)
    latest: int | None = None  # the millisecond of *head*, after *second*
    told: Group | None = None  # and its group
    pieces: list[str] = []
    for (group, moment, nanoseconds, _, _), high, low, span in zip(
        ended, digits, digits, digits, strict=True
    ):
        millisecond = (moment - second) // _MILLISECOND
        if millisecond != latest or group is not told:
            if not 0 <= millisecond < _MILLISECONDS:
                second, began = _second_of(moment, offset)
                millisecond = (moment - second) // _MILLISECOND
            if group.handler is not handler:
                _address(group, handler)
            latest, told = millisecond, group
            head = began + _thousandths[millisecond] + group.head
        hundredths = (nanoseconds + _HALF) // _HUNDREDTH
        pieces += (
            head,
            high,
            low,
            '", "span_id": "',
            span,
            group.line,
            texts[hundredths] if hundredths < known else _ending(hundredths),
        )
    return "".join(pieces)


def _second_of(moment: int, offset: int) -> tuple[int, str]:
    """Return when by the performance counter the second of *moment* began, and what its lines begin with."""
    global _last_second  # noqa: PLW0603  # most batches are of the second of the last
    second = (moment + offset) // _SECOND
    if second != _last_second[0]:
        text = datetime.fromtimestamp(second, UTC).strftime('{"time": "%Y-%m-%dT%H:%M:%S')
        _last_second = second, text
    return second * _SECOND - offset, _last_second[1]


def _ending(hundredths: int) -> str:
    """Return what ends a line: a duration in milliseconds, with two digits behind the point."""
    global _texts  # noqa: PLW0603  # replaced as a whole: another thread may do the same
    texts = _texts
    _texts = texts + [_text(missing) for missing in range(len(texts), min(hundredths + 1, _MOST_TEXTS))]
    return _text(hundredths)


def _text(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}}}\n"


def _address(group: Group, handler: PlatformHandler) -> None:
    service = handler.formatter.service if isinstance(handler.formatter, JsonLines) else '""'
    group.handler = handler
    group.head = (
        f'+00:00", "level": "INFO", "logger": "platform_lib.access", "message": {group.message}, '
        f'"service": {service}, "trace_id": "'
    )
