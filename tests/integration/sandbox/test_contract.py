"""The sandbox is a provider as payment services expect one."""

from __future__ import annotations

import pytest

from platform_lib.sandbox import Sandbox
from platform_lib.testing import ProviderApi, ProviderContract


@pytest.fixture
def provider_api(sandbox: Sandbox) -> ProviderApi:
    return ProviderApi(sandbox.url, sandbox.settings.api_key.reveal())


class TestSandbox(ProviderContract):
    pass
