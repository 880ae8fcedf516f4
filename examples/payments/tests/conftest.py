"""The fixtures of every test; those of `platform_lib.testing` are there as well."""

from collections.abc import Callable

import pytest
from merchant import ENTRIES
from platform_lib import ManualClock, SequentialIds
from platform_lib.config import load
from platform_lib.migrations import upgrade
from platform_lib.sandbox import Sandbox

from payments.settings import PaymentsSettings
from payments.wiring import Wired, wire


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    return lambda url: upgrade(url, "payments.migrations")


@pytest.fixture
def settings(database_url: str, broker_url: str, sandbox: Sandbox) -> PaymentsSettings:
    return load(
        PaymentsSettings,
        environ={},
        overrides={
            "environment": "test",
            "database.url": database_url,
            "events.url": broker_url,
            "provider.url": sandbox.url,
            "provider.api_key": sandbox.settings.api_key,
            "provider.webhook_secret": sandbox.settings.webhook_secret,
            "merchants.keys": ENTRIES.split(","),
            # The tests sweep when they want to.
            "sweeper.interval": "1h",
        },
    )


@pytest.fixture
def wired(settings: PaymentsSettings, clock: ManualClock, ids: SequentialIds) -> Wired:
    return wire(settings, clock=clock, ids=ids)


@pytest.fixture
def app(wired: Wired) -> object:
    return wired.service.install(wired.app)
