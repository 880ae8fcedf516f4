"""Who may call: merchants with a key, by default; whoever the gateway names, where that is set."""

import asyncio
from typing import Any

import pytest
from merchant import ENTRIES, authenticated
from platform_lib import ManualClock, SequentialIds
from platform_lib.config import load
from platform_lib.testing import in_process_client

from {{ cookiecutter.package }}.settings import PaymentsSettings
from {{ cookiecutter.package }}.wiring import Wired, wire


@pytest.fixture
def other_settings(settings: PaymentsSettings) -> Any:
    def other_settings(**changes: Any) -> PaymentsSettings:
        given = {
            "environment": "test",
            "database.url": settings.database.url,
            "events.url": settings.events.url,
            "provider.url": settings.provider.url,
            "provider.api_key": settings.provider.api_key,
            "provider.webhook_secret": settings.provider.webhook_secret,
            "sweeper.interval": "1h",
            **{name.replace("__", "."): value for name, value in changes.items()},
        }
        return load(PaymentsSettings, environ={}, overrides=given)

    return other_settings


async def statuses(wired: Wired, *headers: dict[str, str]) -> list[int]:
    async with in_process_client(wired.service.install(wired.app)) as http:
        answers = await asyncio.gather(*(http.get("/v1/payments", headers=one) for one in headers))
    return [answer.status_code for answer in answers]


async def test_without_any_setting_nobody_is_let_in(
    other_settings: Any, clock: ManualClock, ids: SequentialIds
) -> None:
    wired = wire(other_settings(), clock=clock, ids=ids)

    assert await statuses(wired, {}, {"Merchant-Id": "acme"}, authenticated()) == [401, 401, 401]


async def test_a_test_key_opens_nothing_in_production(
    other_settings: Any, clock: ManualClock, ids: SequentialIds
) -> None:
    settings = other_settings(environment="production", merchants__keys=ENTRIES.split(","))

    assert await statuses(wire(settings, clock=clock, ids=ids), authenticated()) == [401]


async def test_a_gateway_is_believed_where_that_is_set(
    other_settings: Any, clock: ManualClock, ids: SequentialIds
) -> None:
    settings = other_settings(merchants__authentication="gateway")

    sent: list[dict[str, str]] = [{"Merchant-Id": "acme"}, authenticated(), {}]
    assert await statuses(wire(settings, clock=clock, ids=ids), *sent) == [200, 401, 401]
