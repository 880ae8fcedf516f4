"""Services as processes, and everything that the generated one needs."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from signal import Signals

import pytest

from paypath.demo.collector import Collector
from platform_lib import SystemClock
from platform_lib.sandbox import Sandbox, SandboxSettings
from tests.integration.life.processes import Running, migrate_payments, run, serving_app

Start = Callable[..., Awaitable[Running]]


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    return migrate_payments


@pytest.fixture
async def sandbox(sandbox_settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    """The provider in the same time as the process."""
    async with Sandbox(sandbox_settings, clock=SystemClock()) as sandbox:
        yield sandbox


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start the small service, ready; variables are those of its settings."""
    numbers = itertools.count()
    async with AsyncExitStack() as stack:

        async def start(
            *, program: tuple[str, ...] = (str(serving_app),), prefix: str = "SHOP", **variables: str
        ) -> Running:
            running = run([*program], prefix, tmp_path / f"{next(numbers)}.log", variables)
            stack.callback(running.child.stop, Signals.SIGKILL)
            await running.until_ready()
            return running

        yield start


@pytest.fixture
def start_payments(start: Start, database_url: str, broker_url: str, sandbox: Sandbox) -> Start:
    """Start the generated payment service, ready."""
    webhook_secret = sandbox.settings.webhook_secret
    assert webhook_secret is not None

    async def start_payments(
        *, program: tuple[str, ...] = ("-m", "payments", "serve"), **variables: str
    ) -> Running:
        given = {
            "PAYMENTS_DATABASE_URL": database_url,
            "PAYMENTS_EVENTS_URL": broker_url,
            "PAYMENTS_MERCHANTS_AUTHENTICATION": "gateway",  # the load names its merchant in a header
            "PAYMENTS_PROVIDER_URL": sandbox.url,
            "PAYMENTS_PROVIDER_API_KEY": sandbox.settings.api_key.reveal(),
            "PAYMENTS_PROVIDER_WEBHOOK_SECRET": webhook_secret.reveal(),
        }
        return await start(program=program, prefix="PAYMENTS", **given, **variables)

    return start_payments
