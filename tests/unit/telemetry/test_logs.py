"""Log lines: their form, their trace, and that no secret leaves in them."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest

from platform_lib.telemetry import TelemetrySettings, client_span, configure_logging
from platform_lib.testing import CapturedSpans

CARD = "4111111111111111"
MASKED_CARD = "411111******1111"
SIGNING_SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


@pytest.fixture(autouse=True)
def root_logger_left_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    access = logging.getLogger("uvicorn.access")
    disabled = access.disabled
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    access.disabled = disabled


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def log_to(format_: str = "json", level: str = "INFO") -> io.StringIO:
    logging.getLogger().handlers.clear()  # pytest's own, which fails where a record is malformed
    stream = io.StringIO()
    settings = TelemetrySettings.model_validate({"log_format": format_, "log_level": level})
    configure_logging(settings, service_name="payments", stream=stream)
    return stream


def test_a_record_is_one_line_of_json() -> None:
    stream = log_to()

    logging.getLogger("payments.sweeper").info("swept %d\npayments", 3, extra={"lease_seconds": 1.5})

    (line,) = lines(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "payments.sweeper",
        "message": "swept 3\npayments",
        "service": "payments",
        "lease_seconds": 1.5,
    }


def test_a_line_inside_a_span_names_the_trace(spans: CapturedSpans) -> None:
    stream = log_to()

    with client_span("call"):
        logging.getLogger("x").info("hello")

    (line,) = lines(stream)
    assert [line["trace_id"]] == spans.trace_ids()
    assert len(line["span_id"]) == 16


@pytest.mark.parametrize("format_", ["json", "console"])
def test_neither_card_nor_secret_leaves_by_message_argument_extra_or_exception(format_: str) -> None:
    stream = log_to(format_)
    logger = logging.getLogger("payments")

    logger.warning(f"card {CARD}")  # noqa: G004  # what a careless service does
    logger.warning("secret %s", SIGNING_SECRET)
    logger.warning("extra", extra={"card": CARD, "card_number": int(CARD), "sent": {"card": CARD}})
    logger.warning("dsn %s", "postgresql://pay:hunter2@db/payments")
    try:
        int(f"{CARD} {SIGNING_SECRET}")
    except ValueError:
        logger.exception("failed")

    text = stream.getvalue()
    assert MASKED_CARD in text
    assert "ValueError" in text
    for secret in (CARD, SIGNING_SECRET, "hunter2"):
        assert secret not in text


def test_wrong_arguments_do_not_lose_the_line() -> None:
    stream = log_to()

    logging.getLogger("x").info("%d payments", "no number")

    assert [line["message"] for line in lines(stream)] == ["%d payments"]


def test_an_exception_names_its_class() -> None:
    stream = log_to()

    try:
        os.environ["GONE"]
    except LookupError:
        logging.getLogger("x").exception("failed")

    (line,) = lines(stream)
    assert line["error.type"] == "KeyError"
    assert line["exception"].endswith("KeyError: 'GONE'")


def test_less_severe_records_are_not_written() -> None:
    stream = log_to(level="WARNING")

    logging.getLogger("x").info("quiet")

    assert stream.getvalue() == ""


def test_the_console_form_is_for_people() -> None:
    stream = log_to("console")

    logging.getLogger("payments").info("ready", extra={"port": 8080})

    assert stream.getvalue().endswith(" INFO    payments: ready port=8080\n")


def test_auto_means_json_where_there_is_no_terminal() -> None:
    stream = log_to("auto")

    logging.getLogger("x").info("hello")

    assert lines(stream)[0]["message"] == "hello"


def test_configuring_twice_does_not_double_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        configure_logging(TelemetrySettings(log_format="json"), service_name="payments")

    logging.getLogger("x").info("once")

    assert capsys.readouterr().out.count("once") == 1


def test_a_closed_stream_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = log_to()
    stream.close()

    logging.getLogger("x").info("lost")

    assert "closed file" in capsys.readouterr().err
