"""The end of a process that does not end: a thread that blocks must not outlast the grace period."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_lib.service._settings import LifecycleSettings

_reserve_seconds = 1.0  # for what stands between the stages
_logger = logging.getLogger("platform_lib.service")


class Overtime:
    """Ends the process, once told to stop, when all stages but the last have had their time.

    A call in a thread (`asyncio.to_thread`) cannot be cancelled, and Python waits for it at the end without a
    limit. *last* is done before the process ends with `os.EX_SOFTWARE`: it lets telemetry leave.
    """

    def __init__(self, settings: LifecycleSettings, last: Callable[[], object]) -> None:
        self._seconds = settings.drain + settings.in_flight + 1.5 * settings.stop + _reserve_seconds
        self._last = last
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Count from now; doing it twice does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="overtime", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Count no more, unless a thread is left that would keep the process from ending."""
        if not _still_running():
            self._over.set()

    def _watch(self) -> None:
        if self._over.wait(self._seconds):
            return
        names = ", ".join(_still_running()) or "none"
        _logger.error("not ended %g s after the signal, ended now; threads left: %s", self._seconds, names)
        self._last()
        os._exit(os.EX_SOFTWARE)


def _still_running() -> list[str]:
    """Name the threads that the interpreter would wait for."""
    own = (threading.main_thread(), threading.current_thread())
    return [thread.name for thread in threading.enumerate() if not thread.daemon and thread not in own]
