"""Who does the work: processes of this machine, behind the `concurrent.futures.Executor` interface."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from threading import Thread

import psutil


def local_executor(jobs: int | None = None) -> ProcessPoolExecutor:
    """Return an executor of *jobs* processes, by default one for each core; use it as a context manager.

    Its processes are started afresh, not forked, and end as soon as this one does, however it ends.
    """
    return ProcessPoolExecutor(
        max_workers=jobs or os.cpu_count() or 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends the work in order
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # A service's tests may run for long, and nobody waits for them. Git cleans up when asked to end.
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.terminate()
        os._exit(1)
