"""Whether, when and how often a failed attempt is worth another."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from platform_lib.clients._reply import Reply
from platform_lib.errors import CallFailed

if TYPE_CHECKING:
    from platform_lib.clients._http_settings import RetrySettings
    from platform_lib.clock import Clock

# What passes by itself: too many requests, a gateway without its server, an overloaded or stopping server.
# Not 500: the same request would meet the same mistake.
_passing = frozenset({429, 502, 503, 504})
_hopeless = frozenset({"reply_too_large"})
_reserve = 10.0  # tokens, so that a client with little traffic can retry at all
_delay_seconds = re.compile(r"[0-9]{1,9}", re.ASCII)


class Retries:
    """The policy of one client, and what is left of its retry budget.

    The budget is a bucket of tokens: each call puts `budget` of one in, each retry takes one out. However
    long a peer is down, retries add no more than that share to the load, beyond the reserve of ten.
    """

    def __init__(self, settings: RetrySettings, clock: Clock, random: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._tokens = _reserve

    def count_call(self) -> None:
        """Take note of a new call, which pays into the budget."""
        self._tokens = min(_reserve, self._tokens + self._settings.budget)

    def pause(self, resends: int, outcome: Reply | CallFailed, *, seconds_left: float) -> float | None:
        """Return the seconds to wait before another attempt, taken from the budget; None if there is none.

        *resends* is how many there were. The pause has full jitter: anything from nothing to a ceiling that
        doubles. A `Retry-After` of the peer comes first, and the jitter after it.
        """
        if resends + 1 >= self._settings.attempts or not _may_pass(outcome):
            return None
        ceiling = min(self._settings.longest_pause, self._settings.pause * 2.0**resends)
        pause = self._random() * ceiling
        if isinstance(outcome, Reply):
            pause += self._retry_after(outcome.headers.get("retry-after", ""))
        if pause >= seconds_left or self._tokens < 1:
            return None
        self._tokens -= 1
        return pause

    def _retry_after(self, value: str) -> float:
        """Read `Retry-After` (RFC 9110 section 10.2.3), seconds or a date; else nothing."""
        value = value.strip()
        if _delay_seconds.fullmatch(value):
            return float(value)
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return 0.0
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        return max(0.0, (date - self._clock.now()).total_seconds())


def _may_pass(outcome: Reply | CallFailed) -> bool:
    if isinstance(outcome, Reply):
        return outcome.status in _passing
    return outcome.reason not in _hopeless
