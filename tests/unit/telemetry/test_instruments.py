"""Metrics of a service's own: OpenTelemetry's instruments, guarded."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

import pytest
from opentelemetry.metrics import Counter, Histogram, Observation

from platform_lib.telemetry import counter, gauge, histogram
from platform_lib.testing import CapturedMetrics

_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A name that no other test has: what is declared stays declared."""
    return f"shop.sales_{next(_numbers)}"


def test_a_counter_counts_by_its_attributes(name: str, metrics: CapturedMetrics) -> None:
    sales = counter(name, unit="{sale}", description="Sales.", attributes=("kind",))

    sales.add(1, {"kind": "card"})
    sales.add(2, {"kind": "card", "customer": "c-1"})
    sales.add(4, {"kind": "cash"})

    assert metrics.value(name, {"kind": "card"}) == 3
    assert metrics.value(name) == 7
    assert [dict(each.attributes) for each in metrics.series(name)] == [{"kind": "card"}, {"kind": "cash"}]


def test_a_histogram_measures(name: str, metrics: CapturedMetrics) -> None:
    waits = histogram(name, unit="s", description="Waits.", attributes=("queue",))

    waits.record(0.5, {"queue": "slow"})
    waits.record(0.25, {"queue": "slow"})

    assert (metrics.count(name), metrics.value(name)) == (2, 0.75)


def test_a_gauge_is_read_when_metrics_are_collected(name: str, metrics: CapturedMetrics) -> None:
    lengths = {"slow": 3}

    def read() -> Iterator[Observation]:
        return (Observation(length, {"queue": queue, "id": 1}) for queue, length in lengths.items())

    gauge(name, read, unit="{job}", description="Length of the queues.", attributes=("queue",))
    assert metrics.value(name, {"queue": "slow"}) == 3
    lengths["slow"] = 5

    assert metrics.value(name, {"queue": "slow"}) == 5
    assert [dict(each.attributes) for each in metrics.series(name)] == [{"queue": "slow"}]


def test_they_are_instruments_of_opentelemetry(name: str) -> None:
    assert isinstance(counter(name, unit="1", description="d"), Counter)
    assert isinstance(histogram(f"{name}.wait", unit="s", description="d"), Histogram)


def test_beyond_two_thousand_attribute_sets_everything_is_in_the_overflow(
    name: str, metrics: CapturedMetrics
) -> None:
    sales = counter(name, unit="{sale}", description="Sales.", attributes=("customer",))

    for number in range(2500):
        sales.add(1, {"customer": number})

    assert len(metrics.series(name)) == 2000
    assert metrics.value(name, {"otel.metric.overflow": True}) == 501
    assert metrics.value(name) == 2500


def test_a_gauge_has_a_limit_too(name: str, metrics: CapturedMetrics) -> None:
    def read() -> Iterator[Observation]:
        return (Observation(number, {"id": number}) for number in range(3000))

    gauge(name, read, unit="1", description="d", attributes=("id",))

    assert len(metrics.series(name)) == 2000
    assert metrics.value(name, {"otel.metric.overflow": True}) == 2999  # the largest of those beyond


def test_an_object_that_is_gone_is_asked_no_more(name: str, metrics: CapturedMetrics) -> None:
    class Queue:
        def read(self) -> list[Observation]:
            return [Observation(1)]

    queue = Queue()
    gauge(name, queue.read, unit="1", description="d")
    assert metrics.value(name) == 1
    del queue
    gc.collect()

    assert metrics.series(name) == []


def test_a_source_that_fails_does_not_silence_the_others(name: str, metrics: CapturedMetrics) -> None:
    def broken() -> list[Observation]:
        raise OSError("4539148803436467")

    for read in (broken, lambda: [Observation(2)]):
        gauge(name, read, unit="1", description="d")

    assert metrics.value(name) == 2


def test_the_same_declaration_again_is_the_same_metric(name: str) -> None:
    first = counter(name, unit="1", description="d", attributes=("a",))

    assert counter(name, unit="1", description="d", attributes=("a",)) is first


def test_a_name_that_is_taken_is_refused(name: str) -> None:
    counter(name, unit="1", description="d")

    with pytest.raises(ValueError, match=f"{name}: a metric of this name is declared already, as a counter"):
        histogram(name, unit="s", description="d")
    with pytest.raises(ValueError, match="is declared already"):
        counter("http.server.request.duration", unit="s", description="d")


@pytest.mark.parametrize("wrong", ["sales", "Shop.sales", "shop sales", "shop.", "", "shop.sales-by-card"])
def test_what_is_no_name_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no metric's name; write lower-case words with dots"):
        counter(wrong, unit="1", description="d")


@pytest.mark.parametrize("wrong", ["", "µs", "a\nb"])
def test_what_is_no_unit_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="is no unit; write it as UCUM does"):
        counter(name, unit=wrong, description="d")


def test_without_a_provider_recording_reaches_nobody_and_loads_no_sdk() -> None:
    program = (
        "import sys\n"
        "from opentelemetry import metrics\n"
        "from platform_lib.telemetry import counter, histogram\n"
        "counter('shop.sales', unit='1', description='d').add(1, {'a': 'b'})\n"
        "histogram('shop.waits', unit='s', description='d').record(1)\n"
        "print(type(metrics.get_meter_provider()).__name__, 'opentelemetry.sdk.metrics' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["_ProxyMeterProvider", "False"]


def test_what_is_declared_before_the_provider_is_set_counts_afterwards() -> None:
    program = (
        "from platform_lib.telemetry import counter\n"
        "sales = counter('shop.sales', unit='1', description='d')\n"
        "from platform_lib.testing import capture_metrics\n"
        "with capture_metrics() as metrics:\n"
        "    sales.add(3)\n"
        "    print(metrics.value('shop.sales'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["3"]
