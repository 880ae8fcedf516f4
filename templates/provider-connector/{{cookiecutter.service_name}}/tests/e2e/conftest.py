"""The connector over HTTP; every response is held against the API's description."""

from typing import Any

import httpx2
import pytest
from caller import Caller
from platform_lib.testing import assert_described
from processor import WEBHOOKS, Processor

from {{ cookiecutter.package }}.settings import ConnectorSettings
from {{ cookiecutter.package }}.wiring import Wired


@pytest.fixture
def caller(client: httpx2.AsyncClient, wired: Wired, settings: ConnectorSettings) -> Caller:
    description = wired.app.openapi()

    async def check(response: httpx2.Response) -> None:
        await response.aread()
        assert_described(description, response)

    client.event_hooks = {"response": [check]}
    return Caller(client, settings.api_key.reveal())


@pytest.fixture
def processor_calls(processor: Processor, app: Any, client: httpx2.AsyncClient) -> Processor:
    """The processor, whose webhooks reach the connector in this process."""
    processor.transport = httpx2.ASGITransport(app=app)
    processor.webhook_url = f"http://connector.test{WEBHOOKS}"
    return processor
