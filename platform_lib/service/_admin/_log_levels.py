"""Log levels of the running process: raised for a while, then as before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_lib.clock import Clock

levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
longest_seconds = 24 * 3600
_logger = logging.getLogger("platform_lib.service")


class LogLevels:
    """The levels of the process's loggers; a change goes back by itself.

    *configured* gives the root's level in the settings, which is what the root goes back to.
    """

    def __init__(self, clock: Clock, configured: Callable[[], str]) -> None:
        self._clock = clock
        self._configured = configured
        self._before: dict[str, int] = {}
        self._reverts: dict[str, asyncio.Task[None]] = {}

    def known(self, name: str) -> bool:
        """Return whether there is a logger of this name; none is made by asking."""
        return name == "root" or name in logging.root.manager.loggerDict

    def document(self) -> dict[str, Any]:
        """Return the root's level, those of loggers with a level of their own, and what is changed now."""
        own = {
            name: logging.getLevelName(logger.level)
            for name, logger in sorted(logging.root.manager.loggerDict.items())
            if isinstance(logger, logging.Logger) and logger.level != logging.NOTSET
        }
        return {
            "root": logging.getLevelName(logging.getLogger().level),
            "configured": self._configured(),
            "loggers": own,
            "changed_for_a_while": sorted(self._before),
        }

    def change(self, name: str, level: str, *, seconds: int) -> None:
        """Give the logger *name* this *level* for so many *seconds*; said in the log at both ends."""
        logger = logging.getLogger(None if name == "root" else name)
        self._before.setdefault(name, logger.level)
        logger.setLevel(level)
        _logger.warning("log level of %s: %s for %d s, by the admin port", name, level, seconds)
        if name in self._reverts:
            self._reverts.pop(name).cancel()
        self._reverts[name] = asyncio.create_task(
            self._revert(name, seconds), name=f"log level of {name}", context=Context()
        )

    def restore(self, name: str) -> None:
        """Give the logger *name* the level it had before; one that was not changed keeps its own."""
        if name not in self._before:
            return
        before = self._before.pop(name)
        level: int | str = self._configured() if name == "root" else before
        logging.getLogger(None if name == "root" else name).setLevel(level)
        _logger.warning("log level of %s: as before", name)
        revert = self._reverts.pop(name, None)
        if revert is not None and revert is not asyncio.current_task():
            revert.cancel()

    def close(self) -> None:
        """Wait for no change to go back; the process ends."""
        for revert in self._reverts.values():
            revert.cancel()
        self._reverts.clear()

    async def _revert(self, name: str, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self.restore(name)
