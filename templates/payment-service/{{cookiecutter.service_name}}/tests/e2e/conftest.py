"""The service over HTTP; every response is held against the API's description."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
from merchant import Merchant
from platform_lib.testing import assert_described

from {{ cookiecutter.package }}.wiring import Wired

Check = Callable[[httpx2.Response], Awaitable[None]]


@pytest.fixture
def described(wired: Wired) -> Check:
    description = wired.app.openapi()

    async def check(response: httpx2.Response) -> None:
        await response.aread()
        assert_described(description, response)

    return check


@pytest.fixture
def merchant(client: httpx2.AsyncClient, described: Check) -> Merchant:
    client.event_hooks = {"response": [described]}
    return Merchant(client)
