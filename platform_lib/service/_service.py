"""The one object a service is composed on."""

from __future__ import annotations

import asyncio
import logging
import random as system_random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Literal, TypeVar

from platform_lib.clock import Clock, SystemClock
from platform_lib.health import CheckFunction, Criticality, HealthChecks
from platform_lib.service._asgi import ASGIApp
from platform_lib.service._hazards import warn_of_middleware
from platform_lib.service._installed import Installed
from platform_lib.service._resources import OpenResources, Resource, StartFailed
from platform_lib.service._settings import ServiceSettings
from platform_lib.service._workers import Restart, Worker, Workers
from platform_lib.telemetry._process import watch_process

Phase = Literal["new", "starting", "ready", "draining", "stopped"]
"""Where a service stands in its life; it only ever goes forward."""

R = TypeVar("R", bound=AbstractAsyncContextManager[Any])

_logger = logging.getLogger("platform_lib.service")


class Service:
    """What a process opens, runs and answers for, in the order it was registered.

    Composing does no I/O. `start` opens resources in order, runs every check once and starts the workers;
    `stop` ends the workers and closes resources in reverse. Both are called by `serve`, or by the lifespan of
    the installed application under any other server and in tests.

    Attributes:
        name: the service's name in logs and traces.
        settings: the settings it was made with.
        effective_settings: the settings that hold now: the same, or what a reload made of them.
        version: the service's own version.
        clock: the time it runs on.
        health: its checks and the probes' answers.
        phase: where in its life it is.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        version: str = "0",
        clock: Clock | None = None,
        random: Callable[[], float] = system_random.random,
    ) -> None:
        self.name = name
        self.settings = settings
        self.effective_settings = settings
        self.version = version
        self.clock: Clock = clock or SystemClock()
        self.health = HealthChecks(self.clock, settings.health, random=random)
        self.phase: Phase = "new"
        self._resources: list[Resource] = []
        self._workers: list[Worker] = []
        self._open = OpenResources(self.clock)
        self._running = Workers(self.clock, broken=self.health.mark_broken, random=random)

    def resource(
        self,
        name: str,
        resource: R,
        *,
        criticality: Criticality = "degraded",
        start_timeout: float | None = None,
        stop_timeout: float = 3.0,
    ) -> R:
        """Register an async context manager to be opened at start and closed at stop; returns it.

        If it has a `check()`, that becomes a health check of the same name. *start_timeout* and
        *stop_timeout* are in seconds, inside what `lifecycle.start` and `lifecycle.stop` give all resources.
        """
        self._named_once(name, [known.name for known in self._resources], "resource")
        self._resources.append(Resource(name, resource, stop_timeout, start_timeout))
        check = getattr(resource, "check", None)
        if callable(check):
            self.check(name, check, criticality=criticality)
        return resource

    def worker(self, name: str, run: Callable[[], Awaitable[None]], *, restart: Restart = "backoff") -> None:
        """Register a loop that runs beside the requests, until it returns or the service stops.

        A crash is logged and shows in readiness as a warning. With *restart* `backoff` the worker starts
        again after a pause that doubles from half a second to thirty; with `fail` it does not, and
        liveness fails.
        """
        self._named_once(name, [known.name for known in self._workers], "worker")
        worker = Worker(name, run, restart)
        self._workers.append(worker)
        self.check(f"worker:{name}", partial(self._running.check, worker))

    def check(self, name: str, check: CheckFunction, *, criticality: Criticality = "degraded") -> None:
        """Register a health check (see `HealthChecks.add`); only a `critical` one can fail readiness."""
        self.health.add(name, check, criticality=criticality)

    def install(self, app: ASGIApp) -> Installed:
        """Wrap *app* in what every service has, in a fixed order; returns an ASGI application.

        From the outside in: lifespan, probes, drain, server span and access log, last resort, limits of
        requests at once, headers and body.
        Warns of `BaseHTTPMiddleware` around or in *app*, which breaks context variables.
        Raises `LawBroken` where another instrumentation makes spans of the same requests.
        """
        warn_of_middleware(app, self.name)
        return Installed(self, app)

    async def start(self) -> None:
        """Open resources, check them once, start workers; on an error everything opened is closed again.

        Raises `StartFailed`, which names the resource that did not open.
        """
        if self.phase != "new":
            raise StartFailed(
                self.name, f"start: the service is already {self.phase}; make a new Service for a new start"
            )
        self.phase = "starting"
        watch_process()
        started = self.clock.monotonic()
        try:
            await self._open.open_all(self._resources, seconds=self.settings.lifecycle.start)
            await self.health.start()
        except BaseException:
            await self.stop()
            raise
        self._running.start(self._workers)
        self.health.mark_started()
        self.phase = "ready"
        _logger.info(
            "%s %s: ready in %d ms (%d resources, %d workers)",
            self.name,
            self.version,
            round((self.clock.monotonic() - started) * 1000),
            len(self._resources),
            len(self._workers),
        )

    def take_up(self, _: ServiceSettings, new: ServiceSettings) -> None:
        """Take up what a reload changed in the groups that every service has; subscribe it to the `Reloader`.

        That is the level of the logs and the admin token.
        """
        if new.telemetry.log_level != self.effective_settings.telemetry.log_level:
            logging.getLogger().setLevel(new.telemetry.log_level)
        self.effective_settings = new

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Return the registered workers and how they fare."""
        return tuple(self._workers)

    def begin_drain(self) -> None:
        """Turn readiness off while requests are still served; doing it twice does nothing."""
        if self.phase == "ready":
            self.phase = "draining"
            self.health.mark_draining()

    async def stop(self) -> None:
        """End workers, close resources in reverse, within `lifecycle.stop` together; twice does nothing.

        Workers have half of it, so that one that does not end leaves the resources time to close.
        """
        if self.phase in ("new", "stopped"):
            return
        self.begin_drain()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.lifecycle.stop
        await self._running.stop(seconds=self.settings.lifecycle.stop / 2)
        await self.health.stop()
        await self._open.close_all(seconds=max(deadline - loop.time(), 0.0))
        self.phase = "stopped"

    def _named_once(self, name: str, taken: list[str], kind: str) -> None:
        if self.phase != "new":
            raise ValueError(
                f"{name}: this {kind} comes too late, the service is {self.phase}; register it before start"
            )
        if name in taken:
            raise ValueError(
                f"{name}: a {kind} of this name is already registered; give each {kind} a name of its own"
            )
