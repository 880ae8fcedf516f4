"""A problem as bytes: the one place where an error body is made, whatever the framework."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from platform_lib.redaction import redact
from platform_lib.telemetry import current_trace_id

if TYPE_CHECKING:
    from platform_lib.errors import Problem
    from platform_lib.service._asgi import Message, Send


def problem_body(problem: Problem) -> bytes:
    """Return the RFC 9457 document as JSON in ASCII, texts redacted, with the current trace's id."""
    document = _redacted(problem.document(trace_id=current_trace_id()))
    return json.dumps(document, default=str, separators=(",", ":"), allow_nan=False).encode("ascii")


def problem_headers(problem: Problem) -> dict[str, str]:
    """Return the headers of the response: the problem's own, its media type, and no caching."""
    return {**problem.headers, "content-type": "application/problem+json", "cache-control": "no-store"}


async def send_problem(send: Send, problem: Problem) -> None:
    """Send *problem* as a complete ASGI response."""
    content = problem_body(problem)
    headers = [
        (name.lower().encode("ascii"), value.encode("latin-1"))
        for name, value in problem_headers(problem).items()
    ]
    headers.append((b"content-length", str(len(content)).encode("ascii")))
    start: Message = {"type": "http.response.start", "status": problem.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": content})


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value
