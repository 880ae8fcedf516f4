"""Every setting of the worker; times are seconds, or texts such as `250ms` and `5s`."""

from typing import Annotated

from platform_lib.clients import PostgresSettings
from platform_lib.config import Seconds, Section
from platform_lib.events import NatsSettings
from platform_lib.service import ServiceSettings
from pydantic import Field

SERVICE = "settlements"
DAY = 86_400


class SettlementSettings(Section):
    """When a business day ends, and when its settlements are closed."""

    cutoff: Annotated[
        Seconds, Field(ge=0, lt=DAY, description="when a business day ends, counted from midnight UTC")
    ] = 0.0
    grace: Annotated[
        Seconds, Field(ge=0, description="how long after that a settlement waits for late events")
    ] = 3_600.0
    interval: Annotated[
        Seconds, Field(gt=0, description="how often settlements that are due are looked for")
    ] = 60.0
    batch: Annotated[int, Field(ge=1, description="how many settlements are closed in one transaction")] = 100


class ConsumerSettings(Section):
    """How often an event is tried before it becomes a dead letter."""

    ack_wait: Annotated[Seconds, Field(gt=0, description="how long handling an event may take")] = 30.0
    max_deliver: Annotated[int, Field(ge=1, description="deliveries before the event is a dead letter")] = 10


class WorkerSettings(ServiceSettings, prefix="SETTLEMENTS"):
    """The settings of the worker."""

    database: PostgresSettings
    payments: NatsSettings = NatsSettings(stream="payments")
    events: NatsSettings = NatsSettings(stream=SERVICE)
    settlement: SettlementSettings = SettlementSettings()
    consumer: ConsumerSettings = ConsumerSettings()
