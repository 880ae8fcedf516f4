"""The fixtures of every test; those of `platform_lib.testing` are there as well."""

from collections.abc import AsyncIterator, Callable

import pytest
from platform_lib import ManualClock, SequentialIds
from platform_lib.config import load
from platform_lib.events import nats
from platform_lib.migrations import upgrade
from platform_lib.service import no_api
from sender import Sender

from settlements.settings import WorkerSettings
from settlements.wiring import Wired, wire


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    return lambda url: upgrade(url, "settlements.migrations")


@pytest.fixture
def settings(database_url: str, broker_url: str) -> WorkerSettings:
    return load(
        WorkerSettings,
        environ={},
        overrides={
            "environment": "test",
            "database.url": database_url,
            "payments.url": broker_url,
            "events.url": broker_url,
            "consumer.max_deliver": 2,
        },
    )


@pytest.fixture
def wired(settings: WorkerSettings, clock: ManualClock, ids: SequentialIds) -> Wired:
    return wire(settings, clock=clock, ids=ids)


@pytest.fixture
def app(wired: Wired) -> object:
    return wired.service.install(no_api)


@pytest.fixture
async def sender(settings: WorkerSettings, clock: ManualClock) -> AsyncIterator[Sender]:
    """The service whose events we hear."""
    async with nats(settings.payments) as broker:
        yield Sender(broker, clock)
