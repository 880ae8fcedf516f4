"""The circuit breaker on a clock that moves when told to."""

from __future__ import annotations

import logging

import pytest

from platform_lib.clients import CircuitBreakerSettings
from platform_lib.clients._breaker import CircuitBreaker
from platform_lib.clock import ManualClock

settings = CircuitBreakerSettings(failure_ratio=0.5, window=10, min_attempts=4, open=5)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    return CircuitBreaker("provider", settings, clock)


def attempt(breaker: CircuitBreaker, *, failed: bool | None) -> bool:
    """Make one attempt; tells whether it was let through."""
    permit = breaker.enter()
    if permit is None:
        return False
    breaker.leave(permit, failed=failed)
    return True


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert attempt(breaker, failed=True)


def test_a_few_failures_say_nothing(breaker: CircuitBreaker) -> None:
    fail(breaker, 3)

    assert attempt(breaker, failed=False)


def test_it_opens_when_the_share_of_failures_is_reached(breaker: CircuitBreaker) -> None:
    for failed in (False, False, True):
        attempt(breaker, failed=failed)
    assert attempt(breaker, failed=True)

    assert not attempt(breaker, failed=False)


def test_it_stays_closed_below_the_share(breaker: CircuitBreaker) -> None:
    for failed in (False, False, False, True, True, False, True):
        assert attempt(breaker, failed=failed)

    assert attempt(breaker, failed=False)


def test_failures_older_than_the_window_are_forgotten(breaker: CircuitBreaker, clock: ManualClock) -> None:
    fail(breaker, 3)
    clock.advance(10)
    fail(breaker, 3)

    assert attempt(breaker, failed=False)


def test_failures_in_the_window_add_up(breaker: CircuitBreaker, clock: ManualClock) -> None:
    for _ in range(4):
        fail(breaker, 1)
        clock.advance(2)

    assert not attempt(breaker, failed=True)


def test_what_says_nothing_about_the_peer_is_not_counted(breaker: CircuitBreaker) -> None:
    fail(breaker, 3)
    for _ in range(3):
        assert attempt(breaker, failed=None)

    assert attempt(breaker, failed=False)


def test_after_a_while_one_attempt_at_a_time_is_let_through(
    breaker: CircuitBreaker, clock: ManualClock
) -> None:
    fail(breaker, 4)
    clock.advance(4.9)
    assert breaker.enter() is None
    clock.advance(0.1)

    probe = breaker.enter()

    assert probe is not None
    assert breaker.enter() is None
    breaker.leave(probe, failed=False)
    fail(breaker, 3)
    assert attempt(breaker, failed=False), "the failures from before were forgotten"


def test_a_failed_probe_opens_the_circuit_for_as_long_again(
    breaker: CircuitBreaker, clock: ManualClock
) -> None:
    fail(breaker, 4)
    clock.advance(5)
    fail(breaker, 1)

    clock.advance(4.9)
    assert breaker.enter() is None
    clock.advance(0.1)
    assert breaker.enter() is not None


def test_a_probe_that_was_given_up_leaves_its_place_to_the_next(
    breaker: CircuitBreaker, clock: ManualClock
) -> None:
    fail(breaker, 4)
    clock.advance(5)
    assert attempt(breaker, failed=None)

    assert breaker.enter() is not None


@pytest.mark.parametrize("failed", [True, False])
def test_an_attempt_from_before_the_circuit_opened_is_no_probe(
    breaker: CircuitBreaker, clock: ManualClock, *, failed: bool
) -> None:
    old = breaker.enter()
    assert old is not None
    fail(breaker, 4)
    clock.advance(5)
    probe = breaker.enter()
    assert probe is not None

    breaker.leave(old, failed=failed)

    assert breaker.enter() is None, "the probe is still under way"


def test_opening_and_closing_are_told_once(
    breaker: CircuitBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "platform_lib.clients")
    fail(breaker, 4)
    breaker.enter()
    clock.advance(5)
    attempt(breaker, failed=False)

    assert [record.getMessage() for record in caplog.records] == [
        "provider: the circuit opens for 5 s: 4 of 4 attempts within 10 s failed",
        "provider: the circuit closes, the probe got an answer",
    ]
