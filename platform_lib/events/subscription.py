"""Events in: a durable pull consumer that gives one event at a time to a handler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

from nats import errors as nats_errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from platform_lib.clock import Clock
from platform_lib.errors import CallFailed
from platform_lib.events._messaging import Consumption
from platform_lib.events.event import Event, InvalidEvent
from platform_lib.telemetry import remote_parent

_log = logging.getLogger(__name__)

EventHandler: TypeAlias = Callable[[Event], Awaitable[None]]
"""What handles an event of a subscription; an error means that it comes again later."""

GiveUp: TypeAlias = Callable[[Event, Exception], Awaitable[None]]
"""What keeps an event whose handler failed for the last time; an error means that both are tried again."""

_FETCH_SECONDS = 2.0
_RETRY_SECONDS = 1.0
_FIRST_REDELIVERY_SECONDS, _LONGEST_REDELIVERY_SECONDS = 0.25, 300.0


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How often an event is delivered, how many seconds its handler has, and who has it afterwards."""

    ack_wait: float
    most: int
    give_up: GiveUp | None


class Subscription:
    """One durable consumer of one stream."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[JetStreamContext]],
        *,
        stream: str,
        consumption: Consumption,
        subject: str,
        handler: EventHandler,
        clock: Clock,
        deliveries: Deliveries,
    ) -> None:
        self._connect = connect
        self._stream = stream
        self._durable = durable = consumption.group
        self._handler = handler
        self._consumption = consumption
        self._clock = clock
        self._ack_wait = deliveries.ack_wait
        self._config = api.ConsumerConfig(
            name=durable,
            durable_name=durable,
            filter_subject=subject,
            ack_wait=deliveries.ack_wait,
            # With somebody to give up to, deliveries are ours to count, and no event is just gone.
            max_deliver=deliveries.most if deliveries.give_up is None else -1,
        )
        self._max_deliver = deliveries.most
        self._give_up = deliveries.give_up
        self._failing = False

    async def run(self) -> None:
        """Consume until cancelled; a lost broker is waited for."""
        while True:
            try:
                await self._consume()
            except (CallFailed, nats_errors.Error, TimeoutError) as error:
                if not self._failing:  # once an outage
                    self._failing = True
                    _log.warning("consumer %s: the broker fails (%s)", self._durable, type(error).__name__)
            except asyncio.CancelledError:
                # The driver cancels its own waiters when it closes; only a task that was asked to stop stops.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
            await self._clock.sleep(_RETRY_SECONDS)

    async def _consume(self) -> None:
        jetstream = await self._connect()
        await jetstream.add_consumer(self._stream, config=self._config)
        pull = await jetstream.pull_subscribe_bind(durable=self._durable, stream=self._stream)
        if self._failing:
            self._failing = False
            _log.info("consumer %s: the broker works again", self._durable)
        try:
            while True:
                began = perf_counter()
                try:
                    # One at a time: what waits in a local batch would use up its time to be acknowledged.
                    messages = await pull.fetch(1, timeout=_FETCH_SECONDS)
                except nats_errors.TimeoutError:
                    # Nothing new, or nobody there: the stream may also be another one by now.
                    await (await self._connect()).consumer_info(self._stream, self._durable)
                    continue
                for message in messages:
                    self._consumption.received(message.subject, perf_counter() - began)
                    await self._handle(message)
        finally:
            await _unsubscribe(pull)

    async def _handle(self, message: Msg) -> None:
        delivered = message.metadata.num_delivered
        try:
            event = Event.from_json(message.data)
        except InvalidEvent as error:
            _log.error("consumer %s: message %d: %s", self._durable, message.metadata.sequence.stream, error)
            await message.term()
            return
        traceparent = (message.headers or {}).get("traceparent")
        with remote_parent(traceparent):  # for the log line of a failure
            try:
                with self._consumption.processing(
                    message.subject, message_id=str(event.id), traceparent=traceparent
                ):
                    async with asyncio.timeout(self._ack_wait):
                        await self._handler(event)
            except Exception as error:  # noqa: BLE001 - whatever the handler raises, the event stays
                _log.exception(
                    "consumer %s: event %s (%s) failed, delivery %d of %d",
                    self._durable,
                    event.id,
                    event.type,
                    delivered,
                    self._max_deliver,
                )
                if delivered >= self._max_deliver and await self._gave_up(event, error):
                    await message.term()
                else:
                    await message.nak(delay=_wait_before(delivered + 1))
                return
        await message.ack()

    async def _gave_up(self, event: Event, error: Exception) -> bool:
        """Hand *event* over; return whether somebody has it now."""
        if self._give_up is None:
            return False
        try:
            async with asyncio.timeout(self._ack_wait):
                await self._give_up(event, error)
        except Exception:  # noqa: BLE001 - nobody has it yet, so it is delivered again
            _log.exception("consumer %s: event %s could not be given up", self._durable, event.id)
            return False
        _log.error(
            "consumer %s: event %s (%s) given up after %d deliveries (%s)",
            self._durable,
            event.id,
            event.type,
            self._max_deliver,
            type(error).__name__,
        )
        return True


async def _unsubscribe(pull: JetStreamContext.PullSubscription) -> None:
    try:
        await pull.unsubscribe()
    except (nats_errors.Error, ValueError):
        return  # closed with its connection; the durable consumer stays on the server either way


def _wait_before(delivery: int) -> float:
    """Return the seconds to wait before *delivery*, the second being the first that waits."""
    return float(min(_FIRST_REDELIVERY_SECONDS * 2 ** min(delivery - 2, 30), _LONGEST_REDELIVERY_SECONDS))
