"""The application under test, served in process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.unit.frameworks.orders import make_app, make_service
from tests.unit.service.driving import client


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    service = make_service()
    async with client(service.install(make_app(service))) as http:
        yield http
