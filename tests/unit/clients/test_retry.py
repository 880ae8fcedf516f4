"""Which failures are tried again, after which pause, and how many of them at most."""

from __future__ import annotations

from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_lib.clients import Reply, RetrySettings
from platform_lib.clients._retry import Retries
from platform_lib.clock import ManualClock
from platform_lib.errors import CallFailed, NotSent, UnknownOutcome

lost = UnknownOutcome("provider", "timeout")


def retries(random: float = 0.5, **settings: float) -> Retries:
    return Retries(RetrySettings.model_validate({"attempts": 10} | settings), ManualClock(), lambda: random)


def reply(status: int, retry_after: str | None = None) -> Reply:
    return Reply(status, {} if retry_after is None else {"retry-after": retry_after}, b"")


@pytest.mark.parametrize(
    "outcome",
    [lost, NotSent("provider", "cannot_connect"), reply(429), reply(502), reply(503), reply(504)],
    ids=str,
)
def test_a_failure_that_may_pass_is_tried_again(outcome: Reply | CallFailed) -> None:
    assert retries().pause(0, outcome, seconds_left=60) is not None


@pytest.mark.parametrize(
    "outcome",
    [reply(200), reply(404), reply(409), reply(500), UnknownOutcome("provider", "reply_too_large")],
    ids=str,
)
def test_an_answer_and_a_lasting_failure_are_not_tried_again(outcome: Reply | CallFailed) -> None:
    assert retries().pause(0, outcome, seconds_left=60) is None


def test_without_a_setting_nothing_is_tried_again() -> None:
    default = Retries(RetrySettings(), ManualClock(), lambda: 0.5)

    assert default.pause(0, lost, seconds_left=60) is None


def test_the_attempts_are_counted_with_the_first() -> None:
    policy = retries(attempts=3)

    assert policy.pause(1, lost, seconds_left=60) is not None
    assert policy.pause(2, lost, seconds_left=60) is None


@pytest.mark.parametrize("random", [0.0, 0.25, 1.0])
def test_a_pause_is_anything_below_a_ceiling_that_doubles_up_to_its_own(random: float) -> None:
    policy = retries(random, pause=0.1, longest_pause=0.5)

    pauses = [policy.pause(resends, lost, seconds_left=60) for resends in range(5)]

    assert pauses == [random * ceiling for ceiling in (0.1, 0.2, 0.4, 0.5, 0.5)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        (format_datetime(ManualClock().now().replace(second=30), usegmt=True), 30),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30),
        ("Thu Jan  1 00:00:30 2026", 30),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0),
        ("-7", 0),
        ("7.5", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_the_peer_says_when_to_come_back(value: str, seconds: float) -> None:
    assert retries(pause=1).pause(0, reply(503, value), seconds_left=60) == seconds + 0.5


@given(st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d+ Jan \d+ \d+:\d+:\d+ [-+]\d+", fullmatch=True)))
def test_no_text_in_its_place_does_harm(value: str) -> None:
    pause = retries().pause(0, reply(503, value), seconds_left=60)

    assert pause is None or 0 <= pause < 60


def test_a_pause_that_would_outlast_the_deadline_is_not_begun_and_not_paid_for() -> None:
    policy = retries(0.0)

    for _ in range(20):
        assert policy.pause(0, reply(503, "60"), seconds_left=60) is None

    assert policy.pause(0, reply(503, "59"), seconds_left=60) == 59


def test_retries_add_a_tenth_to_the_load_beyond_the_reserve() -> None:
    policy = retries()
    tried = 0

    for _ in range(1000):
        policy.count_call()
        resends = 0
        while policy.pause(resends, lost, seconds_left=60) is not None:
            tried += 1
            resends += 1

    assert 100 <= tried <= 110


def test_calls_do_not_save_up_more_than_the_reserve() -> None:
    policy = retries()
    for _ in range(1000):
        policy.count_call()

    tried = sum(policy.pause(0, lost, seconds_left=60) is not None for _ in range(100))

    assert tried == 10
