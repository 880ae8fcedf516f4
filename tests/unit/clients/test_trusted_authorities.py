"""Reading the authorities that a machine trusts takes longer than all else that opens a client."""

from __future__ import annotations

import httpcore2
import pytest

from platform_lib.clients import HttpClientSettings, http_client
from platform_lib.clients._tls import trusted


@pytest.mark.parametrize("url", ["https://peer.test", "http://127.0.0.1:9"])
async def test_they_are_read_once_for_all_clients_of_a_process(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    real = httpcore2.default_ssl_context

    def counting(**options: bool) -> object:
        read.append(options)
        return real(**options)

    monkeypatch.setattr(httpcore2, "default_ssl_context", counting)
    trusted.cache_clear()

    for _ in range(3):
        async with http_client("peer", HttpClientSettings(url=url)):
            pass

    assert len(read) == 1
    assert trusted().check_hostname
