"""The capture of metrics: what was measured since the test began, whoever measured it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from opentelemetry import metrics as api
from opentelemetry.metrics import CallbackOptions, Observation

from platform_lib.telemetry import counter
from platform_lib.telemetry._catalogue import server_active_requests
from platform_lib.testing import Canaries, CapturedMetrics, assert_no_secret, capture_metrics

_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A name that no other test has: an instrument cannot be taken back."""
    return f"kit.things_{next(_numbers)}"


def test_what_was_measured_before_the_test_is_not_in_it(name: str) -> None:
    things = counter(name, unit="1", description="d", attributes=("kind",))
    with capture_metrics():
        things.add(5, {"kind": "old"})
        things.add(5, {"kind": "both"})

    with capture_metrics() as metrics:
        things.add(1, {"kind": "both"})

        assert [(dict(one.attributes), one.value) for one in metrics.series(name)] == [({"kind": "both"}, 1)]
        assert name in metrics.names()
        metrics.clear()
        assert metrics.series(name) == []
        assert name not in metrics.names()


def test_instruments_of_anybody_are_captured(name: str, metrics: CapturedMetrics) -> None:
    meter = api.get_meter("somebody")
    meter.create_up_down_counter(f"{name}.level").add(-2)
    meter.create_histogram(f"{name}.size").record(4, {"a": 1})

    def read(_: CallbackOptions) -> Iterator[Observation]:
        yield Observation(7)

    meter.create_observable_gauge(f"{name}.gauge", [read])

    assert metrics.value(f"{name}.level") == -2
    assert (metrics.count(f"{name}.size"), metrics.value(f"{name}.size", {"a": 1})) == (1, 4)
    assert metrics.value(f"{name}.gauge") == 7


class Served:
    """A server as the platform counts it, with requests of one kind in flight."""

    in_flight = 0

    def active(self) -> list[Observation]:
        return [Observation(self.in_flight, {"http.request.method": "GET", "url.scheme": "http"})]


def test_an_instrumentation_beside_ours_hides_nothing_and_is_not_taken_for_ours(name: str) -> None:
    """Contrib counts active requests under our name and with our attributes, and says 0 when they ended."""
    served = Served()
    server_active_requests.watch(served.active)
    theirs = api.get_meter(name).create_up_down_counter("http.server.active_requests")
    with capture_metrics():
        theirs.add(1, {"url.scheme": "http", "http.request.method": "GET"})
        theirs.add(-1, {"url.scheme": "http", "http.request.method": "GET"})

    with capture_metrics() as metrics:
        served.in_flight = 1

        assert [(one.value, one.grows) for one in metrics.series("http.server.active_requests")] == [
            (1, False)
        ]


def test_what_was_never_measured_is_nothing(metrics: CapturedMetrics) -> None:
    assert (metrics.series("no.such"), metrics.value("no.such"), metrics.count("no.such")) == ([], 0, 0)


def test_the_text_has_a_line_for_each_series(name: str, metrics: CapturedMetrics) -> None:
    counter(name, unit="1", description="d", attributes=("kind",)).add(2, {"kind": "a"})

    assert f"{name}{{'kind': 'a'}} 2" in metrics.text().splitlines()


@pytest.mark.parametrize("where", ["value", "name of an attribute", "name", "unit", "description", "scope"])
def test_a_planted_secret_is_found_wherever_a_metric_could_carry_it(
    where: str, name: str, canaries: Canaries, metrics: CapturedMetrics
) -> None:
    """The control: through OpenTelemetry's own instruments, which nothing guards."""
    card = canaries.card
    unguarded = api.get_meter(f"scope {card}" if where == "scope" else "scope").create_counter(
        f"{name}.{card}" if where == "name" else name,
        unit=card if where == "unit" else "1",
        description=f"Paid by {card}." if where == "description" else "d",
    )
    unguarded.add(1, {card if where == "name of an attribute" else "a": card if where == "value" else "b"})

    with pytest.raises(AssertionError, match=r"canaries: 1 leaked.*\n  card 1 in metrics"):
        assert_no_secret(canaries, metrics=metrics)


def test_through_a_guarded_metric_no_secret_gets(
    name: str, canaries: Canaries, metrics: CapturedMetrics
) -> None:
    guarded = counter(name, unit="1", description="d", attributes=("a",))
    for secret in (*canaries.cards, canaries.iban, canaries.api_key, canaries.webhook_secret, canaries.dsn):
        guarded.add(1, {"a": secret, secret: secret})

    assert metrics.value(name) == len(canaries.cards) + 4
    assert_no_secret(canaries, metrics=metrics)
