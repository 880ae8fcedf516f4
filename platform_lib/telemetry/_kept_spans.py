"""Server spans that are kept, as OTLP bytes: those of one batch together.

They are written in pieces that are joined once. What is the same for many is encoded once: by kind of request
in its group, by caller here.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import TYPE_CHECKING

from platform_lib.telemetry._context import parse_traceparent
from platform_lib.telemetry._encoding import SERVER_ATTRIBUTE, parent_part
from platform_lib.telemetry._request import (
    Headers,
    Scope,
    caller_attributes,
    is_harmless,
    redacted_path,
    wanted_headers,
)
from platform_lib.telemetry._request_span import IDS
from platform_lib.telemetry._wire import attributes, utf8, varint

if TYPE_CHECKING:
    from platform_lib.telemetry._endings import Kept
    from platform_lib.telemetry._request_span import RequestSpan

_MAX_CALLERS = 1024
_ROOT = parent_part(None)
_times = Struct("<BQBQ").pack
_START, _END = 0x39, 0x41  # tags
_SPAN_ID = b"\x12\x08"
_IDENTITY_LENGTH = 2 + 16 + 2 + 8 + 9 + 9  # both ids and both times, each behind its tag
_MOST_HEADS, _MOST_PATH_HEADS = 1024, 256


class Callers:
    """The attributes that say who called whom, encoded; callers come back, so they are remembered."""

    def __init__(self) -> None:
        self._known: dict[object, bytes] = {}

    def of(self, scope: Scope, span: RequestSpan, *, linked: bool) -> bytes:
        """Return who made a request; with *linked*, *span* gets the trace context of a stranger as a link."""
        host = user_agent = traceparent = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"user-agent":
                user_agent = value
            elif name == b"traceparent":
                traceparent = value
        if traceparent is not None and linked:
            _link(span, scope["headers"])
        try:
            scheme, client, server = scope["scheme"], scope["client"], scope["server"]
        except KeyError:  # which a server may leave out
            scheme, client, server = scope.get("scheme") or "http", scope.get("client"), scope.get("server")
        key = (host or server, user_agent, client and client[0], scheme)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MAX_CALLERS:
                self._known.clear()
            texts = (None if value is None else value.decode("latin-1") for value in (host, user_agent))
            items = caller_attributes(scheme, client, server, *texts)
            known = self._known[key] = attributes(SERVER_ATTRIBUTE, items.items())
        return known


def kept_spans(kept: Sequence[Kept], offset: int) -> bytes:
    """Return the spans of requests that ended as fields of `ScopeSpans`.

    *offset* is what the clock is ahead of the performance counter, in nanoseconds.
    """
    pieces: list[bytes] = []
    paths = _encoded([path for *_, path, _ in kept])
    for (group, moment, nanoseconds, ids, span, _, caller), path in zip(kept, paths, strict=True):
        constant, own = group.constant, _ROOT
        if span.used and span.touched:
            own = parent_part(span.parent) + span.encoded_extras()
        length = len(path)
        path_head = _path_heads[length] if length < _MOST_PATH_HEADS else _path_head(length)
        length += _IDENTITY_LENGTH + len(constant) + len(caller) + len(path_head) + len(own)
        trace_id, span_id = IDS.unpack(ids)
        end = moment + offset
        pieces += (
            _heads[length] if length < _MOST_HEADS else _head(length),
            trace_id,
            _SPAN_ID,
            span_id,
            _times(_START, end - nanoseconds, _END, end),
            constant,
            caller,
            path_head,
            path,
            own,
        )
    return b"".join(pieces)


def _link(span: RequestSpan, headers: Headers) -> None:
    """Link the span to the context that a stranger sent."""
    stranger = parse_traceparent(wanted_headers(headers).get(b"traceparent"))
    if stranger is not None:
        span.add_link(stranger, None)


def _encoded(paths: list[str]) -> list[bytes]:
    """Return paths without secrets, in UTF-8; all at once where none has room for any."""
    together = "\n".join(paths)
    if is_harmless(together):
        encoded = together.encode().split(b"\n")
        if len(encoded) == len(paths):  # or a path has a line feed of its own
            return encoded
    return [utf8(redacted_path(path)) for path in paths]


def _head(length: int) -> bytes:
    """Return what stands before a trace id: tag and length of the span, and the tag of the id."""
    return b"\x12" + varint(length) + b"\x0a\x10"


def _path_head(length: int) -> bytes:
    """Return what stands before a path of so many bytes: the attribute `url.path` up to its text."""
    value = b"\x0a" + varint(length)
    value = b"\x0a\x08url.path\x12" + varint(len(value) + length) + value
    return b"\x4a" + varint(len(value) + length) + value


_heads = tuple(map(_head, range(_MOST_HEADS)))
_path_heads = tuple(map(_path_head, range(_MOST_PATH_HEADS)))
