"""The connector is a provider as payment services expect one: it passes the sandbox's suite."""

from typing import Any

import httpx2
import pytest
from platform_lib.testing import ProviderApi, ProviderContract

from {{ cookiecutter.package }}.settings import ConnectorSettings


@pytest.fixture
def provider_api(app: Any, client: httpx2.AsyncClient, settings: ConnectorSettings) -> ProviderApi:
    """The connector in this process, which `client` started."""
    return ProviderApi(str(client.base_url), settings.api_key.reveal(), httpx2.ASGITransport(app=app))


class TestConnector(ProviderContract):
    """With another processor, `tokens` says which of its test tokens make each case happen."""
