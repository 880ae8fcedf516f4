"""The relay: takes stored events to the broker, in the order of each aggregate, as often as it needs to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platform_lib import strict_json
from platform_lib.clients import Connection, Postgres, Record
from platform_lib.clock import Clock, SystemClock
from platform_lib.errors import CallFailed, UnknownOutcome
from platform_lib.events._backlog_metrics import BacklogMetrics
from platform_lib.events._queries import queries
from platform_lib.events.event import CONTENT_TYPE, Event
from platform_lib.events.outbox import Outbox
from platform_lib.events.publisher import Publisher
from platform_lib.telemetry import parse_traceparent, remote_parent

_log = logging.getLogger(__name__)

_LONGEST_WAIT_SECONDS = 30.0
_PURGE_EVERY_SECONDS = 60.0
_PURGE_BATCH = 1000
# A parent that is not sampled: asking an empty outbox ten times a second belongs to no trace.
_UNSAMPLED = f"00-{1:032x}-{1:016x}-00"


@dataclass(frozen=True)
class _Round:
    """What one batch came to."""

    settled: int
    outage: CallFailed | None


def outbox_relay(
    database: Postgres,
    publisher: Publisher,
    *,
    clock: Clock | None = None,
    interval: float = 0.1,
    batch: int = 100,
    max_attempts: int = 10,
    publish_timeout: float = 10.0,
    keep_published: float = 7 * 86_400,
) -> Callable[[], Awaitable[None]]:
    """Return a worker that publishes what is in the outbox; any number of replicas may run one.

    Guarantee: an event is published at least once, and marked only after the broker has stored it; a crash
    in between publishes it again under the same message id. Events of one subject are published in order.
    While the broker fails, events stay and the relay backs off, up to 30 s, without counting an attempt; an
    event that the broker refuses is tried *max_attempts* times and then parked, and later events pass it.

    Units: *interval* is the seconds between two looks at an empty outbox; *batch* the most events published
    at once, each of another subject; *publish_timeout* the seconds after which a publish counts as lost,
    which bounds the transaction around a batch; *keep_published* the seconds before a published event is
    deleted.
    """
    relay = _Relay(
        database,
        publisher,
        clock=clock or SystemClock(),
        interval=interval,
        batch=batch,
        max_attempts=max_attempts,
        publish_timeout=publish_timeout,
    )
    return lambda: relay.run(keep_published)


class _Relay:
    def __init__(
        self,
        database: Postgres,
        publisher: Publisher,
        *,
        clock: Clock,
        interval: float,
        batch: int,
        max_attempts: int,
        publish_timeout: float,
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._clock = clock
        self._interval = interval
        self._batch = batch
        self._max_attempts = max_attempts
        self._publish_timeout = publish_timeout
        self._backlog = BacklogMetrics(clock)

    async def run(self, keep_published: float) -> None:
        """Relay until cancelled."""
        failures = 0
        purge_at = self._clock.monotonic()
        while True:
            if self._backlog.due:
                await self._measure()
            done = await self._round()
            if done.outage is not None:
                if failures == 0:
                    _log.warning(
                        "outbox relay: the broker fails (%s); events wait in the outbox", done.outage.reason
                    )
                await self._clock.sleep(min(self._interval * 2**failures, _LONGEST_WAIT_SECONDS))
                # Capped where the wait is capped long since: an outage of days must not grow a huge number.
                failures = min(failures + 1, 30)
                continue
            if failures:
                _log.info("outbox relay: the broker works again")
                failures = 0
            # Something was done: the next event of the same subjects may be free now, so look again at once.
            if done.settled:
                continue
            if self._clock.monotonic() >= purge_at:
                purge_at = self._clock.monotonic() + _PURGE_EVERY_SECONDS
                await self._purge(keep_published)
            await self._clock.sleep(self._interval)

    async def _round(self) -> _Round:
        """Publish one batch.

        The rows stay locked by an open transaction while the broker is asked. That is no provider call
        (nothing is charged twice, and the broker drops a repeated message id), and it is better than a lease:
        a relay that dies gives its rows back at once, without anybody guessing how long it may still live.
        The price is one connection for the length of a batch, which the publish timeout bounds.
        """
        with remote_parent(_UNSAMPLED):
            async with self._database.transaction() as connection:
                rows = await connection.fetch_all(queries.lock_outbox_batch, self._clock.now(), self._batch)
                if not rows:
                    return _Round(settled=0, outage=None)
                # All at once is in order: a batch never holds two events of one subject.
                errors = await asyncio.gather(*(self._publish(row) for row in rows))
                return await self._mark(connection, rows, errors)

    async def _publish(self, row: Record) -> Exception | None:
        # Whoever mended a row by hand may have spoilt it; what is no parent goes no further.
        cause = row["traceparent"] if parse_traceparent(row["traceparent"]) else None
        try:
            event = Event(
                id=row["id"],
                type=row["type"],
                source=row["source"],
                subject=row["subject"],
                merchant_id=row["merchant_id"],
                time=row["time"],
                data=row["data"],
            )
            payload = strict_json.dumps(event.cloudevent(traceparent=cause))
            with remote_parent(cause):
                async with asyncio.timeout(self._publish_timeout):
                    await self._publisher.publish(
                        event.type, payload, message_id=str(event.id), headers={"content-type": CONTENT_TYPE}
                    )
        except TimeoutError:
            return UnknownOutcome("broker", "timeout")
        except Exception as error:  # noqa: BLE001 - one event's fault, whatever it is, must not stop the others
            return error
        return None

    async def _mark(
        self, connection: Connection, rows: Sequence[Record], errors: Sequence[Exception | None]
    ) -> _Round:
        now = self._clock.now()
        sent = [row for row, error in zip(rows, errors, strict=True) if error is None]
        if sent:
            await connection.execute(
                queries.mark_outbox_published,
                [row["merchant_id"] for row in sent],
                [row["id"] for row in sent],
                now,
            )
        settled, outage = len(sent), None
        for row, error in zip(rows, errors, strict=True):
            if isinstance(error, CallFailed):
                outage = error
            elif error is not None:
                await self._reject(connection, row, error)
                settled += 1
        return _Round(settled, outage)

    async def _reject(self, connection: Connection, row: Record, error: Exception) -> None:
        attempts = row["attempts"] + 1
        now = self._clock.now()
        parked = attempts >= self._max_attempts
        wait = min(self._interval * 2**attempts, _LONGEST_WAIT_SECONDS)
        kind = type(error).__name__  # never the text, which may quote the payload
        await connection.execute(
            queries.mark_outbox_rejected,
            row["merchant_id"],
            row["id"],
            kind,
            None if parked else now + timedelta(seconds=wait),
            now if parked else None,
        )
        if parked:
            _log.error(
                "outbox relay: event %s (%s) parked after %d attempts (%s); mend it, then Outbox.release()",
                row["id"],
                row["type"],
                attempts,
                kind,
            )

    async def _measure(self) -> None:
        with remote_parent(_UNSAMPLED):
            async with self._database.connection() as connection:
                await self._backlog.measure(connection)

    async def _purge(self, keep_published: float) -> None:
        before = self._clock.now() - timedelta(seconds=keep_published)
        with remote_parent(_UNSAMPLED):
            deleted = _PURGE_BATCH
            while deleted == _PURGE_BATCH:  # a transaction each, so that none holds many rows for long
                async with self._database.transaction() as connection:
                    deleted = await Outbox().purge(connection, published_before=before, limit=_PURGE_BATCH)
