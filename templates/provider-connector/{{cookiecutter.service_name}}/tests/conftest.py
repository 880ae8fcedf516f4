"""The fixtures of every test; those of `platform_lib.testing` are there as well."""

from collections.abc import AsyncIterator

import pytest
from platform_lib import ManualClock
from platform_lib.config import load
from processor import API_KEY, WEBHOOK_SECRET, Processor
from receiver import RECEIVER_SECRET, Receiver

from {{ cookiecutter.package }}.settings import ConnectorSettings
from {{ cookiecutter.package }}.wiring import Wired, wire

CONNECTOR_KEY = "sk_test_connector"


@pytest.fixture
async def processor(clock: ManualClock) -> AsyncIterator[Processor]:
    async with Processor(clock=clock) as processor:
        yield processor


@pytest.fixture
async def receiver(clock: ManualClock) -> AsyncIterator[Receiver]:
    async with Receiver(clock) as receiver:
        yield receiver


@pytest.fixture
def settings(processor: Processor, receiver: Receiver) -> ConnectorSettings:
    return load(
        ConnectorSettings,
        environ={},
        overrides={
            "environment": "test",
            "api_key": CONNECTOR_KEY,
            "processor.url": processor.url,
            "processor.api_key": API_KEY,
            "processor.webhook_secret": WEBHOOK_SECRET,
            "receiver.url": receiver.url,
            "receiver.webhook_secret": RECEIVER_SECRET,
        },
    )


@pytest.fixture
def wired(settings: ConnectorSettings, clock: ManualClock) -> Wired:
    return wire(settings, clock=clock)


@pytest.fixture
def app(wired: Wired) -> object:
    return wired.service.install(wired.app)
