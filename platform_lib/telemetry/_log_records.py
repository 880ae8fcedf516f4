"""Log records as OTLP bytes, redacted like the lines on standard output.

Source: opentelemetry/proto/logs/v1/logs.proto; OpenTelemetry specification 1.60, logs data model; semantic
conventions 1.44, `exception.*`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from platform_lib.redaction import redact
from platform_lib.telemetry._encoding import scope_part
from platform_lib.telemetry._log_fields import extras_of, message_of
from platform_lib.telemetry._request_span import IDS
from platform_lib.telemetry._spans import error_type
from platform_lib.telemetry._wire import (
    any_value,
    attributes,
    fixed32,
    fixed64,
    message,
    number,
    text,
    varint,
)

if TYPE_CHECKING:
    from platform_lib.telemetry._groups import Group

_INFO = 9
_NUMBERS = (
    (logging.CRITICAL, 21),
    (logging.ERROR, 17),
    (logging.WARNING, 13),
    (logging.INFO, _INFO),
    (logging.DEBUG, 5),
)
_MOST_ATTRIBUTES = 128  # the specification's limit
_MOST_KINDS = 2048
_ATTRIBUTE = 6  # field of an attribute in a log record
# Time, time observed, trace id, span id, each behind its tag.
_identity = Struct("<cQcQ2s16s2s8s").pack
_duration = Struct("<d").pack
_DURATION = b"\x32\x18\x0a\x0bduration_ms\x12\x09\x21"  # the attribute up to its eight bytes


class LogRecords:
    """Encodes log records and puts them into an outlet, behind the redactor: nothing else leaves."""

    def __init__(self, put: Callable[[bytes, bytes, int], None]) -> None:
        self._put = put
        self._scopes: dict[str, bytes] = {}
        self._kinds: dict[Group, bytes] = {}

    def put(self, record: logging.LogRecord) -> None:
        """Queue a record with the trace it was written in."""
        moment = round(record.created * 1e9)
        content = (
            fixed64(1, moment)
            + fixed64(11, moment)
            + number(2, severity(record.levelno))
            + text(3, record.levelname)
            + message(5, any_value(message_of(record)))
        )
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            content += fixed32(8, context.trace_flags)
            content += message(9, context.trace_id.to_bytes(16, "big"))
            content += message(10, context.span_id.to_bytes(8, "big"))
        items = list(_items(record))
        content += attributes(_ATTRIBUTE, items[:_MOST_ATTRIBUTES])
        content += number(7, max(0, len(items) - _MOST_ATTRIBUTES))
        self._put(self._scope(record.name), message(2, content), 1)

    def put_access(self, logger: str, group: Group, ids: bytes, end: int, nanoseconds: int) -> None:
        """Queue the access line of a request of *group*.

        *ids* are those of its span as `IDS` packs them, *end* is Unix nanoseconds.
        """
        constant = self._kinds.get(group)
        if constant is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            constant = self._kinds[group] = _access(group)
        trace_id, span_id = IDS.unpack(ids)
        content = (
            _identity(b"\x09", end, b"\x59", end, b"\x4a\x10", trace_id, b"\x52\x08", span_id)
            + constant
            + _duration(round(nanoseconds / 1_000_000, 2))
        )
        self._put(self._scope(logger), b"\x12" + varint(len(content)) + content, 1)

    def _scope(self, name: str) -> bytes:
        known = self._scopes.get(name)
        if known is None:
            if len(self._scopes) >= _MOST_KINDS:
                self._scopes.clear()
            known = self._scopes[name] = scope_part(InstrumentationScope(redact(name)))
        return known


def severity(level: int) -> int:
    """Return the severity number of a level of the standard library; below DEBUG it is TRACE."""
    return next((severity for least, severity in _NUMBERS if level >= least), 1)


def _items(record: logging.LogRecord) -> list[tuple[str, object]]:
    items: list[tuple[str, object]] = []
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and record.exc_info is not None:
        items.append(("exception.type", error_type(error)))
        items.append(("exception.message", redact(str(error))))
        items.append(("exception.stacktrace", redact(logging.Formatter().formatException(record.exc_info))))
    if record.stack_info:
        items.append(("code.stacktrace", redact(record.stack_info)))
    items += extras_of(record)
    return items


def _access(group: Group) -> bytes:
    """Return what the access lines of a group share, up to the duration's own eight bytes."""
    method, route = group.attributes["http.request.method"], group.attributes.get("http.route")
    status = group.attributes.get("http.response.status_code")
    verb = "HTTP" if method == "_OTHER" else method
    items = {"http.method": verb, "http.status": status, "http.route": route}
    return (
        number(2, _INFO)
        + text(3, "INFO")
        + message(5, any_value(f"{verb} {route} {status}"))
        + attributes(_ATTRIBUTE, items.items())
        + _DURATION
    )
