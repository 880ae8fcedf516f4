"""The verdict on one dependency: hysteresis and staleness, without any I/O."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from platform_lib.health._report import CheckResult, Status
from platform_lib.telemetry._catalogue import health_transitions

if TYPE_CHECKING:
    from platform_lib.health._settings import HealthSettings

Criticality = Literal["critical", "degraded", "info"]
"""What a failed check does to readiness: fails it, warns, or is only shown."""

_logger = logging.getLogger("platform_lib.health")


class CheckState:
    """What the last results of one check add up to.

    The first result decides at once. After that, `fail_after` failures in a row turn a passing check to
    failed and `recover_after` successes in a row turn it back, so that one lost packet moves no traffic.
    """

    def __init__(self, name: str, criticality: Criticality, settings: HealthSettings) -> None:
        self.name = name
        self.criticality: Criticality = criticality
        self.failing = True  # nothing is known yet, and nothing known is no reason to send traffic
        self.ever_passed = False
        self._settings = settings
        self._stale_after = settings.stale_after
        self._warning: str | None = None
        self._reason = "pending"
        self._decided_at: float | None = None
        self._streak = 0

    def passed(self, at: float, warning: str | None = None) -> None:
        """Take in one success that ended *at* this monotonic time; *warning* is one stable word."""
        self._warning = warning
        self.ever_passed = True
        self._record(at, failure=False, reason="")

    def failed(self, at: float, reason: str) -> None:
        """Take in one failure that ended *at* this monotonic time; *reason* is one stable word."""
        self._warning = None
        self._record(at, failure=True, reason=reason)

    def result(self, now: float) -> CheckResult:
        """Return the verdict as of *now*."""
        age = None if self._decided_at is None else now - self._decided_at
        status: Status = "fail" if self.failing else "warn" if self._warning else "pass"
        reason = self._reason if self.failing else self._warning
        if age is not None and age > self._stale_after:
            status, reason = "fail", "stale"
        return CheckResult(status, self.criticality, reason, age)

    def _record(self, at: float, *, failure: bool, reason: str) -> None:
        first = self._decided_at is None
        self._decided_at = at
        if failure == self.failing and not first:
            self._streak = 0
            self._reason = reason or self._reason
            return
        self._streak += 1
        needed = self._settings.fail_after if failure else self._settings.recover_after
        if not first and self._streak < needed:
            return
        self.failing, self._reason, self._streak = failure, reason, 0
        if failure or not first:
            health_transitions.add(1, {"check": self.name, "to": "fail" if failure else "pass"})
        if failure:
            _logger.warning("%s: the check fails: %s", self.name, reason, extra={"check": self.name})
        elif not first:
            _logger.info("%s: the check passes again", self.name, extra={"check": self.name})
