"""What was recorded leaves the process: ready bytes from a bounded queue, in small batches, by one thread.

The thread joins bytes and waits for the network: nothing that keeps the interpreter from the requests.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from platform_lib.telemetry._encoding import spans_request
from platform_lib.telemetry._fork import warn_of_a_child
from platform_lib.telemetry._plan import Queue

Outcome = Literal["taken", "later", "refused"]
"""What became of a batch: the collector has it, may have it later, or will never have it."""

Deliver = Callable[[bytes], Outcome]

_QUEUE = Queue()
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Between the tries of one batch."""
_WARN_EVERY_SECONDS = 60.0

_logger = logging.getLogger("platform_lib.telemetry")


class Outlet:
    """A bounded queue of encoded spans, or of encoded log records, and the thread that sends them.

    A full queue drops the newest and counts them: a request never waits for the collector. A batch that
    the collector may take later is sent again after pauses, until the outlet closes. In a forked child there
    is no thread: what is put there is dropped, which is said once.

    Attributes:
        what: what it sends, in the plural, as messages say it.
        dropped: how many were lost, to a full queue or to a collector that did not take them.
        sent: how many the collector took.
    """

    def __init__(
        self,
        resource: bytes,
        deliver: Deliver,
        *,
        what: str = "spans",
        queue: Queue = _QUEUE,
        pauses_seconds: tuple[float, ...] = PAUSES_SECONDS,
    ) -> None:
        self.what = what
        self.dropped = 0
        self.sent = 0
        self._resource = resource
        self._deliver = deliver
        self._delay = queue.delay_seconds
        self._capacity = queue.capacity
        self._batch = queue.batch
        self._pauses = pauses_seconds
        self._queue: deque[tuple[bytes, bytes, int]] = deque()  # scope, items, how many
        self._waiting = 0  # items in the queue
        # One may put while it puts: collecting garbage runs code that logs.
        self._lock = threading.RLock()
        self._some, self._full, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._warned_at = float("-inf")
        self._in_a_child = False
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name=f"telemetry-{what.replace(' ', '-')}", daemon=True
        )
        self._thread.start()

    def put(self, scope: bytes, items: bytes, count: int) -> None:
        """Queue *count* encoded spans or log records of *scope*, which stay together; never blocks."""
        with self._lock:
            fits = self._waiting + count <= self._capacity
            if fits:
                self._queue.append((scope, items, count))
                self._waiting += count
        if not fits:
            self._drop(count)
            return
        if not self._some.is_set():
            self._some.set()
        if self._waiting >= self._batch and not self._full.is_set():
            self._full.set()

    def close(self) -> bool:
        """Send what is queued, once, and end the thread; gives whether all of it was taken.

        Blocks as long as the collector does; what is put afterwards is dropped.
        """
        before, thread = self.dropped, self._thread
        if thread is None:
            return False
        self._closing.set()
        self._full.set()
        self._some.set()
        thread.join()
        return self.dropped == before and not self._queue

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until the queue is empty, at most *timeout_seconds*; gives whether it is."""
        deadline = time.monotonic() + timeout_seconds
        while self._queue and self._thread and self._thread.is_alive() and time.monotonic() < deadline:
            self._full.set()
            self._closing.wait(0.005)
        return not self._queue

    def forked(self) -> None:
        """Stop, in a child that was forked: its parent sends what is queued, and nobody else sends here."""
        self._thread, self._in_a_child = None, True
        # A lock of these may have been held when the process forked.
        self._lock = threading.RLock()
        self._some, self._full, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._capacity = self._waiting = 0
        self._queue.clear()

    def _drop(self, count: int) -> None:
        self.dropped += count
        if self._in_a_child:
            self._in_a_child = False  # said once
            warn_of_a_child(self.what)

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._full.wait(self._delay)
            self._some.clear()
            self._full.clear()
            closing = self._closing.is_set()  # read last: `close` sets it first
            self._drain()
            self._warn()
            if closing:
                self._capacity = 0
                return

    def _drain(self) -> None:
        """Send what is queued, or, once closing, as much of it as the collector takes."""
        while batch := self._take():
            count = sum(number for _, _, number in batch)
            if send(self._deliver, spans_request(self._resource, batch), self._pauses, self._closing):
                self.sent += count
                continue
            self.dropped += count
            if self._closing.is_set():
                while rest := self._take():
                    self.dropped += sum(number for _, _, number in rest)

    def _take(self) -> list[tuple[bytes, bytes, int]]:
        """Take about a batch from the queue."""
        taken: list[tuple[bytes, bytes, int]] = []
        count = 0
        with self._lock:
            while self._queue and count < self._batch:
                taken.append(self._queue.popleft())
                count += taken[-1][2]
            self._waiting -= count
        return taken

    def _warn(self) -> None:
        if self.dropped and time.monotonic() - self._warned_at >= _WARN_EVERY_SECONDS:
            self._warned_at = time.monotonic()
            _logger.warning(
                "%s: %d lost so far, the collector does not take them; see that it runs and its endpoint",
                self.what,
                self.dropped,
            )


def send(deliver: Deliver, body: bytes, pauses: tuple[float, ...], closing: threading.Event) -> bool:
    """Send *body*, again after each of *pauses* in seconds while it may be taken later; once when closing."""
    for pause in (*pauses, None):
        outcome = deliver(body)
        if outcome != "later":
            return outcome == "taken"
        if pause is None or closing.is_set():
            return False
        closing.wait(pause)
    return False
