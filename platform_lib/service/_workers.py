"""Workers: loops beside the requests, started again when they crash."""

from __future__ import annotations

import asyncio
import logging
import random as system_random
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from platform_lib.telemetry._catalogue import worker_crashes, worker_restarts
from platform_lib.telemetry._spans import error_type

if TYPE_CHECKING:
    from platform_lib.clock import Clock

_logger = logging.getLogger("platform_lib.service")

Restart = Literal["backoff", "fail"]

first_pause_seconds = 0.5
longest_pause_seconds = 30.0
settled_after_seconds = 60.0


class WorkerCrashed(Exception):
    """The worker crashed and has not run well since."""


@dataclass(slots=True)
class Worker:
    """One registered worker and how it fares.

    Attributes:
        crashes: crashes in a row; a run of a minute without one ends the row.
        running_since: when it was last started, in the clock's monotonic seconds; None while it does not run.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    restart: Restart
    crashes: int = 0
    running_since: float | None = None

    def settled(self, now: float) -> bool:
        """Return whether it has run for a minute without a crash."""
        return self.running_since is not None and now - self.running_since >= settled_after_seconds


class Workers:
    """The running workers of one service.

    *broken* is told the name of a worker that crashed and must not be started again.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        broken: Callable[[str], None],
        random: Callable[[], float] = system_random.random,
    ) -> None:
        self._clock = clock
        self._broken = broken
        self._random = random
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, workers: list[Worker]) -> None:
        """Start every worker, in a context of its own: no span or transaction of the starter leaks in."""
        for worker in workers:
            self._tasks[worker.name] = asyncio.create_task(
                self._supervise(worker), name=f"worker:{worker.name}", context=Context()
            )

    async def stop(self, *, seconds: float) -> None:
        """Cancel every worker and wait for their ends, at most *seconds*."""
        tasks, self._tasks = self._tasks, {}
        if not tasks:
            return
        for task in tasks.values():
            task.cancel()
        await asyncio.wait(tasks.values(), timeout=seconds)
        for name, task in tasks.items():
            if not task.done():
                _logger.error(
                    "%s: the worker did not end within %g s of being cancelled; left behind", name, seconds
                )

    async def check(self, worker: Worker) -> None:
        """Pass unless the worker crashed and has not run well since."""
        if worker.crashes and not worker.settled(self._clock.monotonic()):
            raise WorkerCrashed

    async def _supervise(self, worker: Worker) -> None:
        while True:
            worker.running_since = self._clock.monotonic()
            try:
                await worker.run()
            except Exception as error:
                worker.crashes = 1 if worker.settled(self._clock.monotonic()) else worker.crashes + 1
                worker.running_since = None
                worker_crashes.add(1, {"worker": worker.name, "error.type": error_type(error)})
                _logger.exception("%s: the worker crashed: %s", worker.name, type(error).__name__)
            else:
                _logger.info("%s: the worker is done", worker.name)
                worker.crashes = 0
                return
            if worker.restart == "fail":
                self._broken(worker.name)
                return
            await self._clock.sleep(self._pause(worker.crashes))
            worker_restarts.add(1, {"worker": worker.name})

    def _pause(self, crashes: int) -> float:
        """Return seconds before the next start: doubling, and half of it random so that replicas spread."""
        whole = min(first_pause_seconds * 2.0 ** (crashes - 1), longest_pause_seconds)
        return whole * (1 + self._random()) / 2
