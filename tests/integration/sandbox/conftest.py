"""A sandbox on a real socket and in time that stands still, and the two who deal with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from platform_lib import ManualClock, SequentialIds
from platform_lib.sandbox import Sandbox
from tests.integration.sandbox.parties import Caller, Receiver, calling, receiving, settings


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def running(manual_clock: ManualClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(settings(), clock=manual_clock, ids=SequentialIds()) as sandbox:
        yield sandbox


@pytest.fixture
async def caller(running: Sandbox) -> AsyncIterator[Caller]:
    async with calling(running) as caller:
        yield caller


@pytest.fixture
async def receiver(running: Sandbox) -> AsyncIterator[Receiver]:
    async with receiving(running) as receiver:
        yield receiver
