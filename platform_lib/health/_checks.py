"""The checks of a service: run in the background, read from memory."""

from __future__ import annotations

import asyncio
import random as system_random
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation

from platform_lib.clock import SystemClock
from platform_lib.health._forced import ForcedFailure, with_forced
from platform_lib.health._heartbeat import Heartbeat
from platform_lib.health._loop_lag import LoopLag
from platform_lib.health._report import CheckResult, Report, Status
from platform_lib.health._settings import HealthSettings
from platform_lib.health._state import CheckState, Criticality
from platform_lib.telemetry._catalogue import health_check_duration, health_status

if TYPE_CHECKING:
    from platform_lib.clock import Clock

CheckFunction = Callable[[], Awaitable[str | None]] | Callable[[], Awaitable[None]]
"""Gives None when all is well, or a warning (``busy: all connections are in use``); raises otherwise."""


_figures: dict[Status, int] = {"pass": 0, "warn": 1, "fail": 2}


class HealthChecks:
    """Every check of one service, and the three probes' answers.

    *random* gives numbers from 0 to 1 and spreads the checks of replicas over time.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        settings: HealthSettings | None = None,
        *,
        random: Callable[[], float] = system_random.random,
    ) -> None:
        self._clock: Clock = clock or SystemClock()
        self._settings = settings or HealthSettings()
        self._random = random
        self._checks: dict[str, _Check] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._heartbeat = Heartbeat(self._settings.loop_stall)
        self._loop_lag = LoopLag()
        self._broken: dict[str, None] = {}
        self._forced: list[ForcedFailure] = []
        self._started = False
        self._draining = False
        health_status.watch(self._observed)

    def add(
        self,
        name: str,
        check: CheckFunction,
        *,
        criticality: Criticality = "degraded",
        interval: float | None = None,
        timeout: float | None = None,
    ) -> None:
        """Register *check*: None from it means well, a text warns (it works, but has no room).

        Of a warning only what stands before a colon is shown, of an error only its class.
        *interval* and *timeout* (seconds) override the settings for this check.
        Errors: ValueError if the name is taken.
        """
        if name in self._checks:
            raise ValueError(
                f"{name}: a check of this name is already registered; give each check a name of its own"
            )
        changes = {"interval": interval, "timeout": timeout}
        settings = self._settings.model_copy(
            update={key: value for key, value in changes.items() if value is not None}
        )
        self._checks[name] = _Check(check, CheckState(name, criticality, settings), settings, self._clock)

    async def start(self) -> None:
        """Run every check once, then keep running them in the background until `stop`."""
        self._heartbeat.start()
        self._loop_lag.start()
        await asyncio.gather(*(check.run() for check in self._checks.values()))
        # A context of their own: the loops outlive whatever span or transaction is current here.
        self._loops = [
            asyncio.create_task(self._repeat(check), name=f"health:{name}", context=Context())
            for name, check in self._checks.items()
        ]

    async def stop(self) -> None:
        """End the background runs."""
        self._heartbeat.stop()
        self._loop_lag.stop()
        loops, self._loops = self._loops, []
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await asyncio.gather(*(check.abandon() for check in self._checks.values()))

    def mark_started(self) -> None:
        """Say that the service has opened everything it needs."""
        self._started = True

    def mark_draining(self) -> None:
        """Say that the service is about to stop: readiness fails from now on."""
        self._draining = True

    def mark_broken(self, name: str) -> None:
        """Say that *name* is beyond repair inside this process: liveness fails from now on."""
        self._broken[name] = None

    def fail(self, name: str) -> ForcedFailure:
        """Make the check *name* fail from now on, without a run, until what is returned releases it.

        For tests and drills; the reason is ``forced``. Raises ValueError if there is no such check.
        """
        if name not in self._checks:
            known = ", ".join(self._checks) or "none"
            raise ValueError(f"{name}: no such check to fail; registered are: {known}")
        return ForcedFailure(name, self._forced)

    def liveness(self) -> Report:
        """Answer whether a restart would help; no dependency is asked, for a restart mends no database.

        It also fails after the event loop was blocked for `loop_stall` seconds, until it has turned freely
        for as long. While it is blocked no answer comes at all.
        """
        if self._broken:
            return Report("fail", reason=", ".join(self._broken))
        if self._heartbeat.stalled():
            return Report("fail", reason="event_loop_blocked")
        return Report("pass")

    def startup(self) -> Report:
        """Answer whether the service has started: resources open, every critical check passed once."""
        if not self._started:
            return Report("fail", self._results(), "starting")
        critical = [check.state for check in self._checks.values() if check.state.criticality == "critical"]
        if not all(state.ever_passed for state in critical):
            return Report("fail", self._results(), "starting")
        return Report("pass", self._results())

    def readiness(self) -> Report:
        """Answer whether new requests should come here."""
        results = self._results()
        if not self._started:
            return Report("fail", results, "starting")
        if self._draining:
            return Report("fail", results, "draining")
        return Report(_worst(results), results)

    def _results(self) -> dict[str, CheckResult]:
        now = self._clock.monotonic()
        results = {name: check.state.result(now) for name, check in self._checks.items()}
        return dict(with_forced(results, self._forced)) if self._forced else results

    def _observed(self) -> list[Observation]:
        if not self._loops:  # nobody checks any more, or yet
            return []
        return [Observation(_figures[one.status], {"check": name}) for name, one in self._results().items()]

    async def _repeat(self, check: _Check) -> None:
        while True:
            settings = check.settings
            pause = settings.retry_interval if check.state.failing else settings.interval
            await self._clock.sleep(pause * (1 + settings.jitter * (2 * self._random() - 1)))
            await check.run()


class _Check:
    """One check and its run in flight; there is never more than one."""

    def __init__(
        self, function: CheckFunction, state: CheckState, settings: HealthSettings, clock: Clock
    ) -> None:
        self.state = state
        self.settings = settings
        self._function = function
        self._clock = clock
        self._in_flight: asyncio.Task[str | None] | None = None

    async def run(self) -> None:
        """Run the check once, within its timeout; no other starts before it has ended."""
        if self._in_flight is not None and not self._in_flight.done():
            self.state.failed(self._clock.monotonic(), "timeout")
            return
        began = self._clock.monotonic()
        run = self._in_flight = asyncio.create_task(self._call(), context=Context())
        run.add_done_callback(_retrieve)
        limit = asyncio.create_task(self._clock.sleep(self.settings.timeout))
        try:
            await asyncio.wait({run, limit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            limit.cancel()
            if not run.done():
                run.cancel()
        if run.done():
            failure = self._settle(run)
        else:
            failure = "timeout"
            self.state.failed(self._clock.monotonic(), failure)
        attributes = {"check": self.state.name} | ({"error.type": failure} if failure else {})
        health_check_duration.record(self._clock.monotonic() - began, attributes)

    async def abandon(self) -> None:
        """Give a run that was cancelled one turn of the loop to end."""
        if self._in_flight is not None and not self._in_flight.done():
            self._in_flight.cancel()
            await asyncio.wait({self._in_flight}, timeout=0.1)

    def _settle(self, run: asyncio.Task[str | None]) -> str | None:
        """Take in how *run* ended; return why it failed, or None."""
        now = self._clock.monotonic()
        error = asyncio.CancelledError() if run.cancelled() else run.exception()
        if error is not None:
            self.state.failed(now, type(error).__name__)
            return type(error).__name__
        warning = run.result()
        self.state.passed(now, warning.partition(":")[0] if warning else None)
        return None

    async def _call(self) -> str | None:
        return await self._function()


def _retrieve(run: asyncio.Task[str | None]) -> None:
    """Take note of an abandoned run's end, so that asyncio does not complain about an error nobody read."""
    if not run.cancelled():
        run.exception()


def _worst(results: dict[str, CheckResult]) -> Status:
    """Weigh the verdicts: a critical check fails the whole, a degraded one warns, an info one is silent."""
    weighed = {
        check.status if check.criticality == "critical" else "warn"
        for check in results.values()
        if check.status != "pass" and check.criticality != "info"
    }
    return "fail" if "fail" in weighed else "warn" if weighed else "pass"
