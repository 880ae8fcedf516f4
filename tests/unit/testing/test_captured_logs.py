"""Captured log lines: what the platform's logging would have written."""

from __future__ import annotations

import logging

from opentelemetry import trace

from platform_lib.testing import CapturedLogs, CapturedSpans, capture_logs

_log = logging.getLogger("payments.use_cases")
tracer = trace.get_tracer("tests")


def test_lines_are_those_of_the_platform_redacted_and_with_their_trace(
    logs: CapturedLogs, spans: CapturedSpans
) -> None:
    with tracer.start_as_current_span("authorise"):
        _log.info("paid with %s", "4539148803436467", extra={"payment.id": "p1"})

    (line,) = logs
    assert line["message"] == "paid with 453914******6467"
    assert (line["level"], line["logger"], line["payment.id"]) == ("INFO", "payments.use_cases", "p1")
    assert logs.of_trace(spans.trace_ids()[0]) == [line]
    assert logs.containing("paid") == [line]
    assert logs.containing("refunded") == []
    assert "4539148803436467" not in logs.text()


def test_debug_and_chatty_libraries_are_left_out_as_in_a_service(logs: CapturedLogs) -> None:
    _log.debug("detail")
    logging.getLogger("httpx2").info("HTTP Request: POST")
    logging.getLogger("nats.aio.client").info("connected")
    logging.getLogger("uvicorn.access").info("POST 201")
    logging.getLogger("httpx2").warning("slow")

    assert [line["message"] for line in logs] == ["slow"]


def test_the_level_is_as_before_afterwards() -> None:
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)

    with capture_logs(logging.DEBUG) as captured:
        _log.debug("detail")

    assert (root.level, root.handlers) == (before, handlers)
    assert len(captured) == 1


def test_clear_forgets(logs: CapturedLogs) -> None:
    _log.info("before")
    logs.clear()

    assert len(logs) == 0
