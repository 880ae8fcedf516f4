"""What the process itself is like, read when metrics are collected.

Source: OpenTelemetry semantic conventions 1.44, process and CPython metrics.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from opentelemetry.metrics import Observation

from platform_lib.telemetry._catalogue import (
    cpu_time,
    file_descriptor_count,
    gc_collected_objects,
    gc_collections,
    gc_uncollectable_objects,
    memory_usage,
    thread_count,
)

_PROC = Path("/proc/self")  # where the system has none, what only it knows is left out


@cache
def watch_process() -> None:
    """Let the process be observed from now on; again does nothing."""
    memory_usage.watch(_memory)
    cpu_time.watch(_cpu)
    thread_count.watch(_threads)
    file_descriptor_count.watch(_file_descriptors)
    gc_collections.watch(lambda: _gc("collections"))
    gc_collected_objects.watch(lambda: _gc("collected"))
    gc_uncollectable_objects.watch(lambda: _gc("uncollectable"))


def _memory() -> Iterator[Observation]:
    if _PROC.exists():
        pages = int((_PROC / "statm").read_text(encoding="ascii").split()[1])
        yield Observation(pages * os.sysconf("SC_PAGE_SIZE"))


def _cpu() -> Iterator[Observation]:
    times = os.times()
    yield Observation(times.user, {"cpu.mode": "user"})
    yield Observation(times.system, {"cpu.mode": "system"})


def _threads() -> Iterator[Observation]:
    tasks = _PROC / "task"
    yield Observation(len(list(tasks.iterdir())) if tasks.exists() else threading.active_count())


def _file_descriptors() -> Iterator[Observation]:
    descriptors = _PROC / "fd"
    if descriptors.exists():
        yield Observation(len(list(descriptors.iterdir())) - 1)  # one is the folder's own, open to be read


def _gc(figure: str) -> Iterator[Observation]:
    for generation, statistics in enumerate(gc.get_stats()):
        yield Observation(statistics[figure], {"cpython.gc.generation": generation})
