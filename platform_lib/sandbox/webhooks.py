"""Webhooks out: signed, retried on the sandbox's clock, remembered for assertions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import httpx2

from platform_lib.clients._tls import trusted
from platform_lib.clock import Clock
from platform_lib.config import Secret
from platform_lib.errors import ConfigError, NotStarted
from platform_lib.ids import Ids
from platform_lib.payments import WebhookSigner

# Seconds to wait before each attempt, as Standard Webhooks recommends: ten attempts in about three days.
retry_schedule_seconds = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)

_timeout_seconds = 15.0
_gone = 410


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver: the receiver's status, or the kind of error if there was no answer."""

    at: datetime
    status: int | None
    error: str | None

    @property
    def accepted(self) -> bool:
        """Whether the receiver took the event; a redirect is a refusal."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # the 2xx class


@dataclass(slots=True)
class Delivery:
    """One event on its way.

    Attributes:
        due: when the next attempt starts, in seconds of the clock's `monotonic`.
    """

    event_id: str
    type: str
    reference: str
    body: bytes
    due: float
    status: Literal["waiting", "delivered", "abandoned"] = "waiting"
    attempts: list[Attempt] = field(default_factory=list)


class WebhookSender:
    """Tells one receiver of what happened.

    An event is tried up to ten times; a 410 stops everything to this receiver; `Retry-After` can only
    lengthen a wait. Each attempt goes to the receiver of that moment and carries the same `webhook-id` and a
    fresh timestamp.
    """

    def __init__(self, *, clock: Clock, ids: Ids, secret: Secret | None) -> None:
        self.deliveries: list[Delivery] = []
        self._clock = clock
        self._ids = ids
        self._url: str | None = None
        self._signer = WebhookSigner(secret) if secret is not None else None
        self._client: httpx2.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Condition()

    def send_to(self, url: str | None) -> None:
        """Send to *url* from now on, also what is already waiting; None sends nothing.

        Raises:
            ConfigError: there is a receiver but nothing to sign with.
        """
        if url is not None and self._signer is None:
            raise ConfigError("webhook_secret: no value given, but webhooks are wanted; set a whsec_… secret")
        self._url = url

    async def open(self) -> None:
        """Make ready to send."""
        self._client = httpx2.AsyncClient(timeout=_timeout_seconds, trust_env=False, verify=trusted())

    async def close(self) -> None:
        """Drop what waits and close the connections; what was tried can still be read."""
        await self._cancel()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def send(self, reference: str, event: Callable[[str], dict[str, Any]], *, times: int = 1) -> None:
        """Start to deliver an event about the operation of *reference*.

        Args:
            reference: the operation's.
            event: makes the body from the event's id.
            times: how often the same event is delivered.
        """
        if self._url is None or self._client is None:
            return
        event_id = f"evt_{self._ids.new().hex}"
        document = event(event_id)
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        for _ in range(times):
            delivery = Delivery(event_id, document["type"], reference, body, due=self._clock.monotonic())
            self.deliveries.append(delivery)
            task = asyncio.create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def quiet(self) -> None:
        """Wait until no attempt is due: every delivery is over, or waits for the clock."""
        async with self._moved:
            await self._moved.wait_for(lambda: not any(map(self._is_due, self.deliveries)))

    async def tried(self, reference: str) -> None:
        """Wait until every event about *reference* was tried at least once, or was dropped."""
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(
                    one.attempts or one.status == "abandoned"
                    for one in self.deliveries
                    if one.reference == reference
                )
            )

    async def clear(self) -> None:
        """Drop what waits and forget what was tried."""
        await self._cancel()
        self.deliveries.clear()

    async def _cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with self._moved:
            for delivery in self.deliveries:
                if delivery.status == "waiting":
                    delivery.status = "abandoned"
            self._moved.notify_all()

    def _is_due(self, delivery: Delivery) -> bool:
        return delivery.status == "waiting" and delivery.due <= self._clock.monotonic()

    async def _deliver(self, delivery: Delivery) -> None:
        waits = iter(retry_schedule_seconds[1:])
        while delivery.status == "waiting":
            started = self._clock.monotonic()
            attempt, retry_after = await self._attempt(delivery)
            async with self._moved:
                self._conclude(delivery, attempt, next(waits, None), started, retry_after)
                self._moved.notify_all()
            if delivery.status == "waiting":
                await self._clock.sleep(delivery.due - self._clock.monotonic())

    def _conclude(
        self, delivery: Delivery, attempt: Attempt, wait: int | None, started: float, retry_after: int
    ) -> None:
        delivery.attempts.append(attempt)
        if attempt.accepted:
            delivery.status = "delivered"
        elif attempt.status == _gone:
            self._url = None
            delivery.status = "abandoned"
        elif wait is None or self._url is None:
            delivery.status = "abandoned"
        else:
            delivery.due = started + max(wait, retry_after)

    async def _attempt(self, delivery: Delivery) -> tuple[Attempt, int]:
        if self._client is None:
            raise NotStarted("webhook sender")
        now = self._clock.now()
        if self._url is None or self._signer is None:
            return Attempt(now, None, "NoReceiver"), 0
        headers = {
            "Content-Type": "application/json",
            **self._signer.sign(delivery.event_id, now, delivery.body),
        }
        try:
            reply = await self._client.post(self._url, content=delivery.body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return Attempt(now, None, type(error).__name__), 0
        retry_after = reply.headers.get("Retry-After", "")
        return Attempt(now, reply.status_code, None), int(retry_after) if retry_after.isdecimal() else 0
