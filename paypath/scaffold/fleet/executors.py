"""Who does the work: processes here or a Dask cluster, behind the `concurrent.futures.Executor` interface."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from threading import Thread

import psutil

from paypath.scaffold.fleet.errors import BadFleet, FleetError


def local_executor(jobs: int | None = None) -> ProcessPoolExecutor:
    """Return an executor of *jobs* processes, by default one for each core; use it as a context manager.

    Its processes are started afresh, not forked, and end as soon as this one does, however it ends.
    """
    return ProcessPoolExecutor(
        max_workers=jobs or os.cpu_count() or 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )


@contextmanager
def dask_executor(scheduler: str) -> Iterator[Executor]:
    """Give an executor of the workers of the Dask *scheduler*, such as ``tcp://10.0.0.5:8786``.

    The workers must have this version of the tool, and see the services, the run's folder and the cache
    folder under the same paths as this process. A worker runs one service at a time, however many threads it
    has.

    Raises:
        BadFleet: Dask is not installed.
        FleetError: no scheduler answers there.
    """
    try:
        from distributed import Client  # noqa: PLC0415  # more than a second, and an extra
    except ImportError as error:
        raise BadFleet("--scheduler: needs Dask; install paypath[fleet]") from error
    try:
        client = Client(scheduler, set_as_default=False)  # type: ignore[no-untyped-call]  # Dask has no types
    except (OSError, ValueError) as error:
        raise FleetError(
            f"--scheduler: no scheduler answers at {scheduler} ({error}); start it, or mend it"
        ) from error
    with client, client.get_executor(pure=False) as executor:  # type: ignore[no-untyped-call]  # the same
        yield executor


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
