"""How a run is asked to end early, by a signal or from another thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop:
    """The wish that a run ends once the services in work are done; it may be voiced at any moment.

    An exception out of a signal handler would end the run wherever it is, with locks of the executor held
    that its other threads wait for. So a handler only asks, and the run looks where it waits anyway.

    Attributes:
        requested: whether it was voiced.
    """

    def __init__(self) -> None:
        self.requested = False
        self._wake: Callable[[], None] | None = None

    def request(self) -> None:
        """Voice it; safe in a signal handler and in any thread."""
        self.requested = True
        if self._wake is not None:
            self._wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have *wake*, which must be safe in a signal handler, called if it is voiced during the block."""
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None
