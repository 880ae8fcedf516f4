"""One check's verdict: hysteresis and staleness."""

from __future__ import annotations

import pytest

from platform_lib.health import HealthSettings
from platform_lib.health._state import CheckState

settings = HealthSettings(interval=5, timeout=1, fail_after=3, recover_after=2)


def state() -> CheckState:
    return CheckState("database", "critical", settings)


def status_after(results: str) -> str:
    check = state()
    for letter in results:
        if letter == "p":
            check.passed(0)
        else:
            check.failed(0, "TimeoutError")
    return check.result(0).status


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ("", "fail"),  # nothing known
        ("p", "pass"),  # the first result decides
        ("f", "fail"),  # in either direction
        ("pf", "pass"),
        ("pff", "pass"),
        ("pfff", "fail"),  # three in a row
        ("pffpff", "pass"),  # a success breaks the row
        ("pfffp", "fail"),
        ("pfffpp", "pass"),  # two in a row
        ("pfffpfp", "fail"),  # a failure breaks the row
        ("fp", "fail"),
        ("fpp", "pass"),
    ],
)
def test_a_verdict_needs_three_failures_to_fall_and_two_successes_to_rise(results: str, status: str) -> None:
    assert status_after(results) == status


def test_a_result_older_than_three_intervals_and_a_timeout_is_stale() -> None:
    check = state()
    check.passed(100)

    assert check.result(116).status == "pass"  # 3 * 5 + 1
    assert check.result(116.1).status == "fail"
    assert check.result(116.1).reason == "stale"


def test_a_warning_shows_at_once_and_goes_at_once() -> None:
    check = state()
    check.passed(0)

    check.passed(1, "busy")
    assert (check.result(1).status, check.result(1).reason) == ("warn", "busy")

    check.passed(2)
    assert (check.result(2).status, check.result(2).reason) == ("pass", None)


def test_a_failed_check_says_why_with_its_latest_reason() -> None:
    check = state()
    check.failed(0, "TimeoutError")
    check.failed(1, "ConnectionRefusedError")

    assert check.result(1).reason == "ConnectionRefusedError"


def test_only_changes_of_the_verdict_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "platform_lib.health")
    check = state()
    for _ in range(3):
        check.passed(0)
    for _ in range(5):
        check.failed(0, "TimeoutError")
    for _ in range(4):
        check.passed(0)

    assert [record.getMessage() for record in caplog.records] == [
        "database: the check fails: TimeoutError",
        "database: the check passes again",
    ]
