"""The service whose events we hear, as far as we hear it."""

from typing import Any
from uuid import UUID, uuid4

from platform_lib import Clock, RandomIds
from platform_lib.events import Event, Nats
from platform_lib.strict_json import dumps


class Sender:
    """Publishes events as `payments` does."""

    def __init__(self, broker: Nats, clock: Clock) -> None:
        self.broker = broker
        self.clock = clock
        self.ids = RandomIds(clock)

    def event(
        self,
        kind: str = "captured",
        minor_units: int = 1250,
        currency: str = "EUR",
        *,
        merchant_id: str = "acme",
        **changes: Any,
    ) -> Event:
        """Return an event about a payment; *changes* replace members of its data."""
        payment_id = self.ids.new()
        operation = {"captured": "capture", "refunded": "refund"}.get(kind, "authorise")
        data = {
            "payment_id": str(payment_id),
            "merchant_reference": "order-1",
            "operation": operation,
            "attempt_id": str(self.ids.new()),
            "amount": {"minor_units": minor_units, "currency": currency},
            "decline_code": None,
        }
        return Event(
            id=self.ids.new(),
            type=f"payment.{kind}",
            source="payments",
            subject=str(payment_id),
            merchant_id=merchant_id,
            time=self.clock.now(),
            data={**data, **changes},
        )

    async def send(self, event: Event, *, message_id: UUID | None = None) -> None:
        """Publish *event*; under another message id the broker takes the same event again."""
        await self.broker.publish(
            event.type, dumps(event.cloudevent()), message_id=str(message_id or event.id)
        )

    async def send_again(self, event: Event) -> None:
        """Deliver *event* once more, as after a crash before the acknowledgement."""
        await self.send(event, message_id=uuid4())
