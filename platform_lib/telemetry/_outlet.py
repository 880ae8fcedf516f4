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

Outcome = Literal["taken", "later", "refused"]
"""What became of a batch: the collector has it, may have it later, or will never have it."""

Deliver = Callable[[bytes], Outcome]

_CAPACITY = 8192
_BATCH = 512
# Short, so that a developer sees the trace of the request just made, and a crash loses little.
_DELAY_SECONDS = 0.2
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
_WARN_EVERY_SECONDS = 60.0

_logger = logging.getLogger("platform_lib.telemetry")


class Outlet:
    """A bounded queue of encoded spans and the thread that sends them.

    A full queue drops the newest spans and counts them: a request never waits for the collector. A batch that
    the collector may take later is sent again after pauses, until the outlet closes.

    Attributes:
        dropped: spans that were lost, to a full queue or to a collector that did not take them.
        sent: spans that the collector took.
    """

    def __init__(
        self,
        resource: bytes,
        deliver: Deliver,
        *,
        metrics: Callable[[], bytes] | None = None,
        deliver_metrics: Deliver | None = None,
        metrics_interval_seconds: float = 60.0,
        capacity: int = _CAPACITY,
        pauses_seconds: tuple[float, ...] = _PAUSES_SECONDS,
    ) -> None:
        self.dropped = 0
        self.sent = 0
        self._resource = resource
        self._deliver = deliver
        self._metrics = metrics
        self._deliver_metrics = deliver_metrics
        self._interval = metrics_interval_seconds
        self._capacity = capacity
        self._pauses = pauses_seconds
        self._queue: deque[tuple[bytes, bytes, int]] = deque()  # scope, spans, how many
        self._waiting = 0  # spans in the queue
        self._lock = threading.Lock()
        self._some, self._full, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._warned_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="telemetry-outlet", daemon=True)
        self._thread.start()

    def put(self, scope: bytes, spans: bytes, count: int) -> None:
        """Queue *count* encoded spans of *scope*, which stay together; never blocks."""
        with self._lock:
            if self._waiting + count > self._capacity:
                self.dropped += count
                return
            self._queue.append((scope, spans, count))
            self._waiting += count
        if not self._some.is_set():
            self._some.set()
        if self._waiting >= _BATCH and not self._full.is_set():
            self._full.set()

    def close(self) -> None:
        """Send what is queued, once, and end the thread; blocks as long as the collector does."""
        self._closing.set()
        self._full.set()
        self._some.set()
        self._thread.join()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until the queue is empty, at most *timeout_seconds*; gives whether it is."""
        deadline = time.monotonic() + timeout_seconds
        while self._queue and self._thread.is_alive() and time.monotonic() < deadline:
            self._full.set()
            self._closing.wait(0.005)
        return not self._queue

    def _run(self) -> None:
        metrics_due = time.monotonic() + self._interval
        while True:
            if self._some.wait(max(metrics_due - time.monotonic(), 0)):
                self._full.wait(_DELAY_SECONDS)
            self._some.clear()
            self._full.clear()
            closing = self._closing.is_set()  # read last: `close` sets it first
            alive = self._drain()
            if alive and (closing or time.monotonic() >= metrics_due):
                metrics_due = time.monotonic() + self._interval
                self._send_metrics()
            self._warn()
            if closing:
                return

    def _drain(self) -> bool:
        """Send what is queued; False means that the outlet is closing and the collector takes nothing."""
        while batch := self._take():
            count = sum(number for _, _, number in batch)
            if self._send(spans_request(self._resource, batch)):
                self.sent += count
                continue
            self.dropped += count
            if self._closing.is_set():
                while rest := self._take():
                    self.dropped += sum(number for _, _, number in rest)
                return False
        return True

    def _take(self) -> list[tuple[bytes, bytes, int]]:
        """Take about a batch from the queue."""
        taken: list[tuple[bytes, bytes, int]] = []
        count = 0
        with self._lock:
            while self._queue and count < _BATCH:
                taken.append(self._queue.popleft())
                count += taken[-1][2]
            self._waiting -= count
        return taken

    def _send(self, body: bytes) -> bool:
        for pause in (*self._pauses, None):
            outcome = self._deliver(body)
            if outcome != "later":
                return outcome == "taken"
            if pause is None or self._closing.is_set():
                return False
            self._closing.wait(pause)
        return False

    def _send_metrics(self) -> None:
        if self._metrics is None or self._deliver_metrics is None:
            return
        body = self._metrics()
        if body:
            self._deliver_metrics(body)  # cumulative: the next one says what this one would have

    def _warn(self) -> None:
        if self.dropped and time.monotonic() - self._warned_at >= _WARN_EVERY_SECONDS:
            self._warned_at = time.monotonic()
            _logger.warning(
                "spans: %d lost so far, the collector does not take them; see that it runs and its endpoint",
                self.dropped,
            )
