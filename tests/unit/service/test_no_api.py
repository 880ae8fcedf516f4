"""A service without an API has its probes and answers nothing else."""

from __future__ import annotations

import pytest

from platform_lib.service import no_api
from tests.unit.service.driving import Recorder, client
from tests.unit.service.test_installed import problem_of, shop


async def test_it_starts_answers_its_probes_and_finds_nothing_else() -> None:
    story: list[str] = []
    service = shop()
    service.resource("database", Recorder("database", story))

    async with client(service.install(no_api)) as http:
        assert [(await http.get(path)).status_code for path in ("/livez", "/readyz", "/startupz")] == [
            200
        ] * 3
        assert problem_of(await http.post("/v1/payments", json={})) == "not_found"

    assert story == ["open database", "close database"]


async def test_it_serves_no_websocket() -> None:
    with pytest.raises(NotImplementedError, match="websocket"):
        await no_api({"type": "websocket"}, None, None)  # type: ignore[arg-type]  # neither is used
