"""Forked children: telemetry belongs to the process that started it; a child says so instead of hanging."""

from __future__ import annotations

import logging
import os
import weakref
from typing import Protocol

from platform_lib.telemetry._endings import forget_all


class Way(Protocol):
    """A way out of the process, with a thread of its own."""

    def close(self) -> bool:
        """Send what is left and end; gives whether all of it was taken."""

    def forked(self) -> None:
        """Stop, in a child that was forked."""


_logger = logging.getLogger("platform_lib.telemetry")
_ways: weakref.WeakSet[Way] = weakref.WeakSet()
_registered: list[bool] = []


def stop_in_children(*ways: Way) -> None:
    """Stop *ways* in every child that is forked from now on; costs nothing in this process."""
    if not _registered:
        _registered.append(True)  # a hook cannot be taken back, so there is one a process
        os.register_at_fork(after_in_child=_in_a_child)
    _ways.update(ways)


def warn_of_a_child(what: str) -> None:
    """Say that *what* was recorded in a child, from where it does not leave, and what to do instead."""
    _logger.warning(
        "%s: recorded in the forked process %d, from where nothing is sent; fork before telemetry starts, "
        "or start processes by multiprocessing's method spawn, with start_telemetry in each",
        what,
        os.getpid(),
    )


def _in_a_child() -> None:
    forget_all()
    for way in list(_ways):
        way.forked()
