"""The circuit breaker: whether a peer is worth another attempt now."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.metrics import Observation

from platform_lib.telemetry._catalogue import client_circuit

if TYPE_CHECKING:
    from platform_lib.clients._http_settings import CircuitBreakerSettings
    from platform_lib.clock import Clock

_slices = 10  # the window moves in tenths, so that its memory does not grow with the traffic
_closed, _probing, _opened = 0, 1, 2
_logger = logging.getLogger("platform_lib.clients")


@dataclass(slots=True)
class _Slice:
    """The attempts that ended in one tenth of the window."""

    number: int
    attempts: int = 0
    failures: int = 0


class CircuitBreaker:
    """Lets attempts through while the peer is well, refuses them while it is not, and probes in between.

    Closed until `failure_ratio` of at least `min_attempts` within the window have failed; then open for
    `open` seconds; then one attempt at a time is let through, and how it ends closes or opens the circuit.
    """

    def __init__(self, peer: str, settings: CircuitBreakerSettings, clock: Clock) -> None:
        self._peer = peer
        self._settings = settings
        self._clock = clock
        self._recent: deque[_Slice] = deque()
        self._open_until: float | None = None
        self._probing = False
        self._generation = 0
        client_circuit.watch(self._observed)

    def enter(self) -> int | None:
        """Return a permit for one attempt, to be given back by `leave`; None while the circuit is open."""
        if self._open_until is not None:
            if self._probing or self._clock.monotonic() < self._open_until:
                return None
            self._probing = True
        return self._generation

    def leave(self, permit: int, *, failed: bool | None) -> None:
        """Say how the attempt of *permit* ended; None if that says nothing about the peer.

        An attempt from before the circuit last opened or closed is old news and changes nothing.
        """
        if permit != self._generation:
            return
        if self._open_until is not None:
            self._probing = False
            if failed:
                self._open("the probe failed")
            elif failed is not None:
                self._close()
        elif failed is not None:
            self._count(failed=failed)

    def _observed(self) -> list[Observation]:
        state = _closed
        if self._open_until is not None:
            state = _opened if self._clock.monotonic() < self._open_until else _probing
        return [Observation(state, {"peer": self._peer})]

    def _count(self, *, failed: bool) -> None:
        settings = self._settings
        number = int(self._clock.monotonic() / settings.window * _slices)
        while self._recent and self._recent[0].number <= number - _slices:
            self._recent.popleft()
        if not self._recent or self._recent[-1].number != number:
            self._recent.append(_Slice(number))
        self._recent[-1].attempts += 1
        self._recent[-1].failures += failed
        attempts = sum(one.attempts for one in self._recent)
        failures = sum(one.failures for one in self._recent)
        if failed and attempts >= settings.min_attempts and failures >= settings.failure_ratio * attempts:
            self._open(f"{failures} of {attempts} attempts within {settings.window:g} s failed")

    def _open(self, why: str) -> None:
        self._turn(self._clock.monotonic() + self._settings.open)
        _logger.warning(
            "%s: the circuit opens for %g s: %s",
            self._peer,
            self._settings.open,
            why,
            extra={"peer": self._peer},
        )

    def _close(self) -> None:
        self._turn(None)
        _logger.info(
            "%s: the circuit closes, the probe got an answer", self._peer, extra={"peer": self._peer}
        )

    def _turn(self, open_until: float | None) -> None:
        self._open_until = open_until
        self._generation += 1
        self._recent.clear()
