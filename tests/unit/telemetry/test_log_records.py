"""Log records that leave by OTLP: what is in them, that no secret is, that telemetry does not feed itself."""

from __future__ import annotations

import pytest

from platform_lib.telemetry._log_records import severity
from platform_lib.testing import Canaries
from tests.unit.telemetry.sink import collector, nobody, plain, run

START = """
import asyncio, logging, sys
from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry
from platform_lib.telemetry import client_span, current_trace_id
telemetry = start_telemetry(
    TelemetrySettings(endpoint="{url}", logs="{logs}", log_format="json"),
    service_name="payments", version="1", environment="test",
)
log = logging.getLogger("shop.orders")
"""
STOP = """
print("taken", telemetry.shutdown(20), flush=True)
"""

ONE_REQUEST = """
class Route: path_format = "/pay"
async def app(scope, receive, send):
    scope["route"] = Route
    print("trace", current_trace_id(), flush=True)
    await send({"type": "http.response.start", "status": STATUS, "headers": []})
    await send({"type": "http.response.body"})
async def receive(): return {"type": "http.request"}
async def send(message): pass
scope = {"type": "http", "method": "GET", "path": "/pay", "headers": []}
served = ServerSpans(app)
asyncio.run(served(scope, receive, send))
"""


def test_a_record_has_its_time_severity_logger_trace_and_attributes() -> None:
    with collector() as sink:
        done = run(
            START.format(url=sink.url, logs="otlp")
            + """
with client_span("call"):
    print(current_trace_id())
    extra = {"currency": "EUR", "amount": 1250, "share": 0.5, "live": True, "none": None}
    log.warning("order %d", 7, extra=extra)
try:
    int("x")
except ValueError:
    log.exception("failed")
"""
            + STOP
        )

    assert "taken True" in done.stdout, done.stderr
    (name, first), (_, second) = sink.logs
    assert name == "shop.orders"
    assert first.trace_id.hex() == done.stdout.splitlines()[0]
    assert first.span_id == sink.spans[0].span_id
    assert first.flags & 1
    assert first.time_unix_nano == first.observed_time_unix_nano > 0
    assert (first.severity_number, first.severity_text) == (13, "WARNING")
    assert first.body.string_value == "order 7"
    assert plain(first.attributes) == {
        "currency": "EUR", "amount": 1250, "share": 0.5, "live": True, "none": None
    }  # fmt: skip
    assert not second.trace_id
    assert (second.severity_number, second.severity_text) == (17, "ERROR")
    attributes = plain(second.attributes)
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "invalid literal for int() with base 10: 'x'"
    assert attributes["exception.stacktrace"].startswith("Traceback")
    assert sink.resources[0]["service.name"] == "payments"


@pytest.mark.parametrize(("logs", "written"), [("otlp", False), ("both", True)])
def test_records_are_written_besides_only_if_wanted(logs: str, written: bool) -> None:  # noqa: FBT001  # a column
    with collector() as sink:
        done = run(START.format(url=sink.url, logs=logs) + "log.info('hello')" + STOP)

    assert [record.body.string_value for _, record in sink.logs] == ["hello"]
    assert ('"message": "hello"' in done.stdout) is written


@pytest.mark.parametrize("plant", [True, False])
def test_no_secret_leaves_by_message_argument_extra_name_or_exception(plant: bool) -> None:  # noqa: FBT001  # a control
    canaries = Canaries()
    secrets = {**canaries.secrets(), "bearer_token": canaries.authorization, "dsn_password": canaries.dsn}
    with collector() as sink:
        done = run(
            START.format(url=sink.url, logs="otlp")
            + f"""
if not {plant}:  # what would be found if nothing redacted
    import platform_lib.telemetry._log_records as records, platform_lib.telemetry._log_fields as fields
    fields.redact = records.redact = str
    fields.redact_mapping = dict
for name, secret in {secrets!r}.items():
    log.info(f"{{name}} {{secret}}")
    log.info("%s", secret)
    log.info("extra", extra={{"found": secret, "nested": {{"a": [secret]}}}})
    log.info(secret)
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        log.exception("failed", stack_info=True)
for card in {canaries.cards!r}:
    log.info("a number", extra={{"card": int(card)}})
log.info("by its name", extra={{"password": "{canaries.dsn_password}"}})
"""
            + STOP
        )

    assert "taken True" in done.stdout, done.stderr
    assert len(sink.logs) == 5 * len(secrets) + len(canaries.cards) + 1
    leaks = {leak.secret for leak in canaries.leaks("otlp", sink.everything())}
    assert leaks == (set() if plant else {*canaries.secrets()})


def test_a_password_in_a_field_of_that_name_is_erased_wherever_logs_go() -> None:
    with collector() as sink:
        done = run(
            START.format(url=sink.url, logs="both")
            + "log.info('x', extra={'password': 'hunter2', 'cvv': 123})"
            + STOP
        )

    ((_, record),) = sink.logs
    assert plain(record.attributes) == {"password": "[redacted]", "cvv": "[redacted]"}
    assert "hunter2" not in done.stdout
    assert "123" not in done.stdout


@pytest.mark.parametrize("logs", ["otlp", "both"])
@pytest.mark.parametrize(("status", "severity_number"), [(200, 9), (503, 17)])
def test_the_access_line_of_a_request_leaves_once_and_names_its_trace(
    logs: str, status: int, severity_number: int
) -> None:
    with collector() as sink:
        done = run(START.format(url=sink.url, logs=logs) + ONE_REQUEST.replace("STATUS", str(status)) + STOP)

    ((name, record),) = sink.logs
    assert "taken True" in done.stdout, done.stderr
    assert name == "platform_lib.access"
    assert record.body.string_value == f"GET /pay {status}"
    assert record.severity_number == severity_number
    assert f"trace {record.trace_id.hex()}" in done.stdout
    assert record.span_id == sink.spans[0].span_id
    attributes = plain(record.attributes)
    assert attributes.pop("duration_ms") >= 0
    assert attributes == {"http.method": "GET", "http.status": status, "http.route": "/pay"}
    assert done.stdout.count('"GET /pay') == (1 if logs == "both" else 0)


def test_what_telemetry_says_about_itself_never_leaves_by_telemetry_and_ends_on_standard_error() -> None:
    with collector() as sink:
        done = run(
            START.format(url=sink.url, logs="otlp")
            + """
logging.getLogger("opentelemetry.sdk.trace").warning("of the SDK")
logging.getLogger("platform_lib.telemetry").warning("of ours")
log.info("hello")
"""
            + STOP
        )

    assert [record.body.string_value for _, record in sink.logs] == ["hello"]
    assert "of the SDK" in done.stderr
    assert "of ours" in done.stderr


def test_a_dead_collector_causes_no_recursion_and_no_deadlock() -> None:
    with nobody() as url:  # whatever warns of a record that was lost would be lost itself, and warned of
        done = run(
            START.format(url=url, logs="both")
            + """
import threading
def flood():
    for number in range(3000):
        log.info("order %d", number)
        if number % 100 == 0:
            logging.getLogger("opentelemetry.sdk").warning("again")
threads = [threading.Thread(target=flood) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
            + STOP
        )

    assert done.stdout.count('"message": "order') == 12000, done.stderr
    assert "taken False" in done.stdout
    assert done.stdout.count('"again"') == 1  # once a minute
    assert "log records: " in done.stdout


def test_what_is_said_after_the_end_is_written() -> None:
    with collector() as sink:
        done = run(START.format(url=sink.url, logs="otlp") + STOP + "log.info('late')")

    assert sink.logs == []
    assert '"message": "late"' in done.stdout


def test_the_form_may_change_and_records_still_leave() -> None:
    with collector() as sink:
        run(
            START.format(url=sink.url, logs="otlp")
            + """
from platform_lib.telemetry import configure_logging
configure_logging(TelemetrySettings(log_format="console"), service_name="payments")
log.info("hello")
"""
            + STOP
        )

    assert [record.body.string_value for _, record in sink.logs] == ["hello"]


@pytest.mark.parametrize(
    ("level", "number"), [(5, 1), (10, 5), (15, 5), (20, 9), (25, 9), (30, 13), (40, 17), (50, 21), (60, 21)]
)
def test_levels_have_the_severity_of_the_data_model(level: int, number: int) -> None:
    assert severity(level) == number
