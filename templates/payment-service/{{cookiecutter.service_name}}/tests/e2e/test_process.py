"""The service as it is deployed: a process of its own, with a provider that calls it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest
from merchant import ENTRIES, Merchant
from platform_lib import SystemClock
from platform_lib.sandbox import Sandbox, SandboxSettings
from platform_lib.testing import Databases, ServiceNotReady, ServiceProcess, assert_described

from {{ cookiecutter.package }}.settings import PaymentsSettings
from {{ cookiecutter.package }}.wiring import Wired

PREFIX = "{{ cookiecutter.package | upper }}"

StartService = Callable[..., Awaitable[ServiceProcess]]
Start = Callable[..., Awaitable[ServiceProcess]]
MerchantOf = Callable[[ServiceProcess], AbstractAsyncContextManager[Merchant]]


@pytest.fixture
async def sandbox(sandbox_settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    """The provider in the same time as the process."""
    async with Sandbox(sandbox_settings, clock=SystemClock()) as sandbox:
        yield sandbox


@pytest.fixture
def start(service_process: StartService, settings: PaymentsSettings, sandbox: Sandbox) -> Start:
    async def start(database: str = "") -> ServiceProcess:
        process = await service_process(
            "{{ cookiecutter.package }}",
            environment={
                f"{PREFIX}_DATABASE_URL": database or settings.database.url.reveal(),
                f"{PREFIX}_EVENTS_URL": settings.events.url.reveal(),
                f"{PREFIX}_PROVIDER_URL": sandbox.url,
                f"{PREFIX}_PROVIDER_API_KEY": settings.provider.api_key.reveal(),
                f"{PREFIX}_PROVIDER_WEBHOOK_SECRET": settings.provider.webhook_secret.reveal(),
                f"{PREFIX}_MERCHANTS_KEYS": ENTRIES,
                f"{PREFIX}_PROVIDER_TIMEOUT": "1900ms",
                f"{PREFIX}_SWEEPER_INTERVAL": "50ms",
                f"{PREFIX}_SWEEPER_LEASE": "2s",
            },
        )
        sandbox.send_webhooks_to(f"{process.url}/v1/provider-events")
        return process

    return start


@pytest.fixture
def merchant_of(wired: Wired) -> MerchantOf:
    @asynccontextmanager
    async def merchant_of(process: ServiceProcess) -> AsyncIterator[Merchant]:
        async def check(response: httpx2.Response) -> None:
            await response.aread()
            assert_described(wired.app.openapi(), response)

        async with httpx2.AsyncClient(base_url=process.url, event_hooks={"response": [check]}) as http:
            yield Merchant(http)

    return merchant_of


async def reaches(merchant: Merchant, payment_id: str, state: str) -> None:
    """Return once the payment is in *state*; fail after ten seconds."""
    async with asyncio.timeout(10):
        while (await merchant.get(f"/{payment_id}")).json()["state"] != state:
            await asyncio.sleep(0.02)


async def confirm(payment: dict[str, Any]) -> None:
    """Do what the customer does on the provider's page."""
    async with httpx2.AsyncClient() as customer:
        answer = await customer.post(payment["next_action"]["redirect_url"], json={"outcome": "approve"})
        answer.raise_for_status()


async def test_a_process_takes_a_payment_resolves_a_lost_one_and_hears_of_a_third(
    start: Start, merchant_of: MerchantOf, sandbox: Sandbox
) -> None:
    process = await start()
    async with merchant_of(process) as merchant:
        paid = (await merchant.pay()).json()
        captured = await merchant.post(f"/{paid['id']}/capture")
        assert captured.json()["state"] == "captured"

        # Without webhooks, or the provider's own word might arrive before the loss was even noticed.
        sandbox.send_webhooks_to(None)
        lost = await merchant.pay("tok_reply_lost")
        assert lost.status_code == 202
        await reaches(merchant, lost.json()["id"], "authorised")
        sandbox.send_webhooks_to(f"{process.url}/v1/provider-events")

        waiting = (await merchant.pay("tok_3ds_required")).json()
        assert waiting["state"] == "requires_action"
        await confirm(waiting)
        await reaches(merchant, waiting["id"], "authorised")

    assert len(sandbox.state.authorisations()) == 3
    assert await process.stop() == 0


async def test_a_process_that_is_killed_while_the_provider_works_loses_nothing(
    start: Start, merchant_of: MerchantOf, sandbox: Sandbox
) -> None:
    # Given a process that dies after the provider did the work and before it was told
    process = await start()
    sandbox.send_webhooks_to(None)
    async with merchant_of(process) as merchant:
        paying = asyncio.ensure_future(merchant.pay("tok_slow", key="once"))
        async with asyncio.timeout(10):
            while not sandbox.state.authorisations():
                await asyncio.sleep(0.01)
        process.kill()
        with pytest.raises(httpx2.TransportError):
            await paying

    # When another one runs, and the lease of the attempt is over
    async with merchant_of(await start()) as merchant:
        (payment,) = (await merchant.get()).json()["payments"]
        assert payment["state"] == "pending"
        await reaches(merchant, payment["id"], "authorised")

        # Then the key gets its answer, and the customer was charged once
        again = await merchant.pay("tok_slow", key="once")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert len(sandbox.state.authorisations()) == 1


async def test_a_process_on_a_database_that_was_not_migrated_ends_and_says_what_to_run(
    start: Start, databases: Databases
) -> None:
    empty = await asyncio.to_thread(databases.create, lambda _: None)

    with pytest.raises(ServiceNotReady, match="migrate` first"):
        await start(empty)
