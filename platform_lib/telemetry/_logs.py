"""Logs: the standard library's root logger, a line a record on standard output, redacted as it is written."""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from opentelemetry import trace

from platform_lib.redaction import redact
from platform_lib.telemetry._constant import Constant

if TYPE_CHECKING:
    from platform_lib.telemetry._settings import TelemetrySettings

# What every record has; anything else was passed by the caller as extra=.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

_SMALLEST_CARD_NUMBER = 10**12  # thirteen digits, whether typed as a text or as a number

noisy_loggers = ("httpx2", "httpcore2", "nats", "asyncio")
"""Loggers of libraries that are heard from a warning on."""


class JsonLines(logging.Formatter):
    """Write a record as one JSON object: time, level, logger, message, service, trace, extras, exception.

    Attributes:
        service: the service's name as JSON writes it.
    """

    def __init__(self, service_name: str) -> None:
        super().__init__()
        self._service_name = service_name
        self.service = json.dumps(service_name, ensure_ascii=False)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, every text in it redacted."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _redacted(_message(record)),
            "service": self._service_name,
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = f"{context.trace_id:032x}"
            line["span_id"] = f"{context.span_id:016x}"
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in line:
                line[name] = _extra(value)
        if record.exc_info and record.exc_info[0] is not None:
            line["error.type"] = record.exc_info[0].__qualname__
            line["exception"] = redact(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = redact(record.stack_info)
        return json.dumps(line, ensure_ascii=False)


class ConsoleLines(logging.Formatter):
    """Write a record for a person: time, level, message, extras, and the start of the trace id."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, redacted; an exception follows on its own lines."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        extras = "".join(
            f" {name}={_extra(value)}" for name, value in vars(record).items() if name not in _STANDARD
        )
        context = trace.get_current_span().get_span_context()
        suffix = f" trace={context.trace_id:032x}" if context.is_valid else ""
        text = f"{time} {record.levelname:<7} {record.name}: {_message(record)}"
        if record.exc_info and record.exc_info[0] is not None:
            suffix += "\n" + self.formatException(record.exc_info)
        return redact(text + extras + suffix)


class PlatformHandler(logging.Handler):
    """Write lines to a stream; without one to whatever standard output is at that moment."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream
        self._ready: deque[str] = deque()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a failure to write is reported on standard error and never reaches the caller."""
        try:
            self._ready.append(self.format(record) + "\n")
            self._write()
        except Exception:  # noqa: BLE001  # logging's own convention: no log line may fail the request
            self.handleError(record)

    def put(self, lines: Sequence[str]) -> None:
        """Write finished, redacted lines."""
        self._ready.append("".join(lines))
        self.flush()

    def flush(self) -> None:
        """Write the lines that wait."""
        try:
            with self.lock or nullcontext():
                self._write()
        except Exception:  # noqa: BLE001  # the same as in emit
            self.handleError(logging.makeLogRecord({"msg": "access lines could not be written"}))

    def _write(self) -> None:
        ready = self._ready
        if ready:
            stream = self._stream or sys.stdout
            stream.write("".join([ready.popleft() for _ in range(len(ready))]))
            stream.flush()


def configure_logging(
    settings: TelemetrySettings, *, service_name: str, stream: TextIO | None = None
) -> None:
    """Send every log record of the process to *stream* (standard output) in the configured form.

    Calling it again changes the form instead of doubling the lines.
    """
    on_terminal = (stream or sys.stdout).isatty()
    console = settings.log_format == "console" or (settings.log_format == "auto" and on_terminal)
    handler = PlatformHandler(stream)
    handler.setFormatter(ConsoleLines() if console else JsonLines(service_name))
    root = logging.getLogger()
    for old in list(root.handlers):
        # Ours, or the one that logging.basicConfig made; a test's or an operator's handler stays.
        if type(old) in {PlatformHandler, logging.StreamHandler}:
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    # The server's own access log would say each request twice, without the trace and the redaction.
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in noisy_loggers:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))


def _message(record: logging.LogRecord) -> str:
    if not record.args and isinstance(record.msg, Constant):
        return record.msg
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # wrong arguments must not lose the line
        return str(record.msg)


def _extra(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if abs(value) < _SMALLEST_CARD_NUMBER:
            return value
        text = redact(str(value))
        return value if text == str(value) else text
    return _redacted(value if isinstance(value, str) else str(value))


def _redacted(text: str) -> str:
    return text if isinstance(text, Constant) else redact(text)
