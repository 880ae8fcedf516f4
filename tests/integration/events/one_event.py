"""One event, and a broker it is published to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from platform_lib import SequentialIds, strict_json
from platform_lib.errors import CallFailed
from platform_lib.events import Event, Nats, NatsSettings

CAPTURED = Event(
    id=SequentialIds().new(),
    type="payment.captured",
    source="payments",
    subject="payment-1",
    merchant_id="merchant-1",
    time=datetime(2026, 1, 1, tzinfo=UTC),
    data={"amount": {"minor_units": 1250, "currency": "EUR"}},
)


def settings_for(url: str, **changes: Any) -> NatsSettings:
    return NatsSettings.model_validate(
        {"url": url, "stream": "PAYMENTS", "connect_timeout": 0.5, "publish_timeout": 2.0, **changes}
    )


async def works(broker: Nats) -> bool:
    try:
        await broker.check()
    except CallFailed:
        return False
    return True


async def publish(broker: Nats, event: Event = CAPTURED) -> None:
    await broker.publish(event.type, strict_json.dumps(event.cloudevent()), message_id=str(event.id))
