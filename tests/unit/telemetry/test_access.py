"""Access lines of a batch: each tells of its own request, whatever stands beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import format_span_id, format_trace_id

from platform_lib.telemetry._access import access_lines
from platform_lib.telemetry._endings import Ended
from platform_lib.telemetry._groups import Group
from platform_lib.telemetry._logs import JsonLines, PlatformHandler

SECOND, MILLISECOND, HUNDREDTH = 1_000_000_000, 1_000_000, 10_000
OFFSET = 1_700_000_000 * SECOND + 123_456_789

kinds = [
    Group(("GET", "/v1/payments/{payment_id}", 200, "http", "1.1", None, 0)),
    Group(("gét", '/v1/"quoted"', 404, "https", "2", None, 0)),
]
moments = st.integers(0, 3 * SECOND) | st.sampled_from(
    [SECOND - OFFSET % SECOND + each for each in (-MILLISECOND, -1, 0, 1, MILLISECOND - 1, MILLISECOND)]
)
took = st.integers(0, 100 * MILLISECOND) | st.sampled_from(
    [each * HUNDREDTH + half for each in (0, 4095, 4096, 4097) for half in (-1, 0, 4_999, 5_000) if each]
)
requests = st.tuples(st.sampled_from(kinds), moments, took, st.binary(min_size=24, max_size=24), st.none())


def handler_of(service: str) -> PlatformHandler:
    handler = PlatformHandler(None)
    handler.setFormatter(JsonLines(service))
    return handler


def as_logged(ended: Ended, service: str) -> dict[str, Any]:
    """Return the fields of the line, in their order."""
    group, moment, nanoseconds, ids, _ = ended
    sent, route, status, *_ = group.key
    verb = sent if sent == "GET" else "HTTP"
    time = datetime.fromtimestamp((moment + OFFSET) // MILLISECOND / 1000, UTC)
    return {
        "time": time.isoformat(timespec="milliseconds"),
        "level": "INFO",
        "logger": "platform_lib.access",
        "message": f"{verb} {route} {status}",
        "service": service,
        "trace_id": format_trace_id(int.from_bytes(ids[:16], "big")),
        "span_id": format_span_id(int.from_bytes(ids[16:], "big")),
        "http.method": verb,
        "http.status": status,
        "http.route": route,
        "duration_ms": (nanoseconds + HUNDREDTH // 2) // HUNDREDTH / 100,
    }


@given(st.lists(requests, min_size=1, max_size=12), st.sampled_from(["payments", 'a "shop"']))
def test_each_line_of_a_batch_tells_of_its_own_request(batch: list[Ended], service: str) -> None:
    lines = access_lines(handler_of(service), batch, OFFSET)

    assert lines.count("\n") == len(batch)
    told = [list(json.loads(line).items()) for line in lines.splitlines()]
    assert told == [list(as_logged(ended, service).items()) for ended in batch]
