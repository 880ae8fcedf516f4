"""The log lines of the code under test, as the platform's logging would have written them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_service = "test"


class CapturedLogs:
    """Log lines in the order in which they were written: JSON objects, redacted, with their trace ids."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __len__(self) -> int:
        """Return how many lines were written so far."""
        return len(self.lines)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the lines as objects: time, level, logger, message, trace_id, and the extras."""
        return iter([json.loads(line) for line in list(self.lines)])

    def containing(self, words: str) -> list[dict[str, Any]]:
        """Return the lines with *words* in their message."""
        return [line for line in self if words in line["message"]]

    def of_trace(self, trace_id: str) -> list[dict[str, Any]]:
        """Return the lines that were written inside this trace."""
        return [line for line in self if line.get("trace_id") == trace_id]

    def text(self) -> str:
        """Return all lines as they were written."""
        return "\n".join(self.lines)

    def clear(self) -> None:
        """Forget what was captured so far."""
        self.lines.clear()


@contextmanager
def capture_logs(level: int = logging.INFO) -> Iterator[CapturedLogs]:
    """Capture what the platform's logging would write meanwhile, from *level* on.

    Redacted and bound to the current span as it is written, as in a running service. The level of the root
    logger is *level* meanwhile.
    """
    from platform_lib.telemetry import JsonLines, noisy_loggers  # noqa: PLC0415  # not needed by every test run

    captured = CapturedLogs()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno < level or (record.levelno < logging.WARNING and _is_noise(record.name)):
                return
            captured.lines.append(self.format(record))

    def _is_noise(name: str) -> bool:
        return name == "uvicorn.access" or name.split(".", maxsplit=1)[0] in noisy_loggers

    handler = Handler()
    handler.setFormatter(JsonLines(_service))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield captured
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
