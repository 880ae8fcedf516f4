"""Logs: the standard library's root logger, a line a record on standard output, redacted as it is written."""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from opentelemetry import trace

from platform_lib.redaction import redact
from platform_lib.telemetry._diagnostics import Quieting, about_telemetry
from platform_lib.telemetry._log_fields import extras_of, message_of

if TYPE_CHECKING:
    from platform_lib.telemetry._log_records import LogRecords
    from platform_lib.telemetry._settings import TelemetrySettings

noisy_loggers = ("httpx2", "httpcore2", "nats", "asyncio", "opentelemetry")
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
            "message": message_of(record),
            "service": self._service_name,
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = f"{context.trace_id:032x}"
            line["span_id"] = f"{context.span_id:016x}"
        for name, value in extras_of(record):
            line.setdefault(name, value)
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
        extras = "".join(f" {name}={value}" for name, value in extras_of(record))
        context = trace.get_current_span().get_span_context()
        suffix = f" trace={context.trace_id:032x}" if context.is_valid else ""
        text = f"{time} {record.levelname:<7} {record.name}: {message_of(record)}"
        if record.exc_info and record.exc_info[0] is not None:
            suffix += "\n" + self.formatException(record.exc_info)
        return redact(text + extras + suffix)


class PlatformHandler(logging.Handler):
    """Write lines to a stream, hand records to the way out by OTLP, or both.

    What telemetry says about itself is written and never handed on, each message once a minute: sending it
    would cause further messages.

    Attributes:
        records: where records go besides; None without the way out by OTLP.
        writes: whether lines are written; without it only what telemetry says about itself is, on standard
            error.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self.records: LogRecords | None = None
        self.writes = True
        self._stream = stream
        self._ready: deque[str] = deque()
        self._quieting = Quieting()

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on; a failure to is reported on standard error and never reaches the caller."""
        try:
            about_telemetry_itself = about_telemetry(record.name)
            if about_telemetry_itself and not self._quieting.allows(record):
                return
            if self.records is not None and not about_telemetry_itself:
                self.records.put(record)
            if self.writes or about_telemetry_itself:
                self._ready.append(self.format(record) + "\n")
                self._write()
        except Exception:  # noqa: BLE001  # logging's own convention: no log line may fail the request
            self.handleError(record)

    def put(self, lines: str) -> None:
        """Write finished, redacted lines."""
        if self.writes:
            self._ready.append(lines)
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
            stream = self._stream or (sys.stdout if self.writes else sys.stderr)
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
    before = platform_handler()
    if before is not None:
        handler.records, handler.writes = before.records, before.writes
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


def platform_handler() -> PlatformHandler | None:
    """Return the handler that `configure_logging` made; None before."""
    handlers = logging.getLogger().handlers
    return next((handler for handler in handlers if type(handler) is PlatformHandler), None)
