"""A check that is made to fail, for tests and drills."""

from __future__ import annotations

import pytest

from platform_lib.clock import ManualClock
from platform_lib.health import HealthChecks


class Checked:
    """Checks that pass, and how often they ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.health = HealthChecks(ManualClock())
        self.health.add("database", self.check, criticality="critical")
        self.health.add("broker", self.check)
        self.health.mark_started()

    async def check(self) -> None:
        self.runs += 1


async def test_a_forced_failure_shows_at_once_without_a_run_and_goes_when_released() -> None:
    checked = Checked()
    await checked.health.start()
    runs = checked.runs
    try:
        forced = checked.health.fail("database")
        report = checked.health.readiness()
        assert (report.status, report.checks["database"].reason) == ("fail", "forced")
        assert report.checks["broker"].status == "pass"
        assert checked.health.liveness().status == "pass"

        forced.release()
        forced.release()
        assert checked.health.readiness().status == "pass"
        assert checked.runs == runs
    finally:
        await checked.health.stop()


async def test_a_degraded_check_only_warns_and_two_failures_need_two_releases() -> None:
    checked = Checked()
    await checked.health.start()
    try:
        with checked.health.fail("broker"):
            with checked.health.fail("broker"):
                assert checked.health.readiness().status == "warn"
            assert checked.health.readiness().status == "warn"
        assert checked.health.readiness().status == "pass"
    finally:
        await checked.health.stop()


def test_a_check_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="db: no such check to fail; registered are: database, broker"):
        Checked().health.fail("db")
