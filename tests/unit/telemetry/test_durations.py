"""Durations of requests are counted some at a time, and none is lost or counted twice."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint

from platform_lib.telemetry._durations import Durations
from platform_lib.telemetry._groups import Groups
from platform_lib.telemetry._instruments import DURATION_BOUNDS


@pytest.mark.parametrize(
    ("nanoseconds", "bucket"),
    [(0, 0), (5_000_000, 0), (5_000_001, 1), (10_000_000_000, 13), (10_000_000_001, 14)],
)
def test_a_bucket_holds_its_upper_bound(nanoseconds: int, bucket: int) -> None:
    durations = Durations({})
    durations.waiting.append(nanoseconds)

    assert durations.count().index(1) == bucket


@given(st.lists(st.integers(0, 20_000_000_000)), st.integers(1, 50))
def test_counting_at_once_is_counting_one_by_one(nanoseconds: list[int], at_once: int) -> None:
    durations = Durations({})
    for begin in range(0, len(nanoseconds), at_once):
        durations.waiting += nanoseconds[begin : begin + at_once]
        durations.count()

    counts = [0] * (len(DURATION_BOUNDS) + 1)
    for each in nanoseconds:
        counts[sum(each > bound * 1_000_000_000 for bound in DURATION_BOUNDS)] += 1
    assert durations.count() == counts
    point = HistogramDataPoint.FromString(durations.data_point(1, 2))
    assert point.count == len(nanoseconds)
    if nanoseconds:
        assert point.sum == sum(nanoseconds) / 1_000_000_000
        assert (point.min, point.max) == (
            min(nanoseconds) / 1_000_000_000,
            max(nanoseconds) / 1_000_000_000,
        )


def test_durations_that_two_threads_count_are_counted_once() -> None:
    meeting = threading.Barrier(2)

    class Met(list[int]):
        def __getitem__(self, key: Any) -> Any:
            taken = super().__getitem__(key)
            with suppress(threading.BrokenBarrierError):  # nobody else comes as far, which is the point
                meeting.wait(0.1)
            return taken

    durations = Durations({})
    durations.waiting = Met([1_000_000] * 10)
    counters = [threading.Thread(target=durations.count) for _ in range(2)]
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()

    assert sum(durations.count()) == 10


def test_a_request_that_ends_while_its_own_thread_counts_does_not_wait_for_it() -> None:
    groups = Groups()
    durations = groups.of(("GET", "/pay", 200, "http", "1.1", None, 0)).durations

    class Interrupted(list[int]):
        def __getitem__(self, key: Any) -> Any:
            # As when the slice makes the interpreter collect an abandoned request.
            durations.waiting.append(2_000_000)
            groups.measured(10_000)
            return super().__getitem__(key)

    durations.waiting = Interrupted([1_000_000] * 10)
    counter = threading.Thread(target=durations.count, daemon=True)
    counter.start()
    counter.join(10)

    assert not counter.is_alive()
    durations.waiting = list(durations.waiting)
    assert sum(durations.count()) == 11


def test_durations_that_nobody_collects_do_not_pile_up() -> None:
    groups = Groups()
    durations = groups.of(("GET", "/pay", 200, "http", "1.1", None, 0)).durations
    for _ in range(10_000):
        durations.waiting.append(1_000_000)
        groups.measured(1)

    assert len(durations.waiting) < 5_000
