"""What a log record says, redacted: its message and what was passed as `extra=`.

Every way out of the process takes a record's texts from here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from platform_lib.redaction import redact, redact_mapping
from platform_lib.telemetry._constant import Constant

# What every record has; anything else was passed by the caller as extra=.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def message_of(record: logging.LogRecord) -> str:
    """Return the message with its arguments; wrong arguments do not lose it."""
    if not record.args and isinstance(record.msg, Constant):
        return record.msg
    try:
        return redact(record.getMessage())
    except (TypeError, ValueError):
        return redact(str(record.msg))


def extras_of(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """Yield what was passed as `extra=`: texts, numbers, truth values, None."""
    for name, value in vars(record).items():
        if name in _STANDARD:
            continue
        if value is None or isinstance(value, bool | float | Constant):
            yield name, value
        else:  # by the name too: a password has no form by which anybody could recognise it
            yield from redact_mapping({name: value if isinstance(value, int) else str(value)}).items()
