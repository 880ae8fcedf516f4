"""Resources open in the order they were registered and close in reverse."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_lib.errors import PlatformError
from platform_lib.redaction import redact

if TYPE_CHECKING:
    from platform_lib.clock import Clock

_logger = logging.getLogger("platform_lib.service")
_least_seconds_to_close = 0.1


class StartFailed(PlatformError):
    """The service could not start; what had been opened is closed again.

    Attributes:
        part: the name of the resource that did not open.
    """

    def __init__(self, part: str, reason: str) -> None:
        self.part = part
        super().__init__(f"{part}: {reason}")


@dataclass(frozen=True, slots=True)
class Resource:
    """One registered resource; its timeouts are in seconds, None for no more than all resources have."""

    name: str
    manager: AbstractAsyncContextManager[Any]
    stop_timeout: float
    start_timeout: float | None = None


class OpenResources:
    """The resources that are open, newest last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: list[Resource] = []

    async def open_all(self, resources: list[Resource], *, seconds: float) -> None:
        """Open *resources* in order, within *seconds* together; `StartFailed` names the one that did not."""
        deadline = asyncio.get_running_loop().time() + seconds
        for resource in resources:
            started = self._clock.monotonic()
            own = resource.start_timeout
            latest = deadline if own is None else min(deadline, asyncio.get_running_loop().time() + own)
            limit = asyncio.timeout_at(latest)  # not wait_for: a manager is entered and left in one task
            try:
                async with limit:
                    await resource.manager.__aenter__()
            except Exception as error:
                late = ""
                if limit.expired():
                    late = f"{seconds:g} s (lifecycle.start)" if latest == deadline else f"{own:g} s"
                raise StartFailed(resource.name, _why(error, late=late)) from error
            self._open.append(resource)
            _log_step(resource.name, "open", self._clock.monotonic() - started)

    async def close_all(self, *, seconds: float) -> None:
        """Close what is open in reverse order, within *seconds* together; one that fails stops no other."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._open:
            resource = self._open.pop()
            started = self._clock.monotonic()
            left = max(deadline - asyncio.get_running_loop().time(), _least_seconds_to_close)
            try:
                async with asyncio.timeout(min(resource.stop_timeout, left)):
                    await resource.manager.__aexit__(None, None, None)
            except Exception as error:
                _logger.exception("%s: did not close: %s", resource.name, type(error).__name__)
                continue
            _log_step(resource.name, "closed", self._clock.monotonic() - started)


def _log_step(name: str, what: str, seconds: float) -> None:
    milliseconds = round(seconds * 1000)
    _logger.info(
        "%s: %s in %d ms", name, what, milliseconds, extra={"resource": name, "duration_ms": milliseconds}
    )


def _why(error: Exception, *, late: str) -> str:
    if late:
        return f"did not open within {late}; is it reachable?"
    text = redact(str(error))
    return (
        f"could not be opened: {text}"
        if isinstance(error, PlatformError)
        else (f"could not be opened: {type(error).__name__}{': ' + text if text else ''}")
    )
