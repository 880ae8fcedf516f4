"""The admin port's pages, in process: what they show, to whom, and what they never show."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import httpx2
import pytest

from platform_lib import ManualClock
from platform_lib.config import load
from platform_lib.errors import ConfigError
from platform_lib.service import Service
from platform_lib.service._admin._pages import AdminPages
from platform_lib.service._installed import Installed
from platform_lib.testing import CapturedLogs, CapturedSpans
from tests.unit.service.driving import ShopSettings, answering, client, say_hello, settle

hello = answering(say_hello)
token = "a-token-that-nobody-guesses"


def settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> ShopSettings:
    return load(ShopSettings, environ=environ or {}, overrides={"environment": "test", **overrides})


def admin_of(installed: Installed, *, host: str = "127.0.0.1:9000", **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=AdminPages(installed))
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)


@pytest.fixture
def service() -> Service:
    return Service("shop", settings(), version="1.2", clock=ManualClock())


@pytest.fixture(autouse=True)
def levels_afterwards() -> Iterator[None]:
    names = (None, "platform_lib.health")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def test_the_probes_tell_of_every_check_with_its_age(service: Service) -> None:
    async def broken() -> None:
        raise ConnectionRefusedError("postgres://app:hunter2@db:5432")

    service.check("database", broken, criticality="critical")
    async with client(service.install(hello)), admin_of(service.install(hello)) as admin:
        ready, live = await admin.get("/readyz"), await admin.get("/livez")

    assert (ready.status_code, live.status_code) == (503, 200)
    assert ready.headers["content-type"] == "application/health+json"
    assert ready.json()["checks"] == {
        "database": {
            "status": "fail",
            "criticality": "critical",
            "reason": "ConnectionRefusedError",
            "age_seconds": 0.0,
        }
    }
    assert "hunter2" not in ready.text


async def test_before_the_start_and_while_draining_it_says_so(service: Service) -> None:
    installed = service.install(hello)
    async with admin_of(installed) as admin:
        assert (await admin.get("/startupz")).json()["reason"] == "starting"
        await service.start()
        service.begin_drain()
        assert (await admin.get("/readyz")).json()["reason"] == "draining"
        await service.stop()


async def test_the_configuration_has_every_value_with_its_origin_and_no_secret() -> None:
    given = {"SHOP_ADMIN_TOKEN": token, "SHOP_HTTP_PORT": "8123", "SHOP_HTTP_HOST": f"host-{token}"}
    installed = Service("shop", settings(given), clock=ManualClock()).install(hello)

    async with admin_of(installed, Authorization=f"Bearer {token}") as admin:
        shown = await admin.get("/configuration")

    values = shown.json()["values"]
    assert values["http.port"] == {
        "value": 8123,
        "source": "environment",
        "location": "SHOP_HTTP_PORT",
        "overridden": [],
        "secret": False,
    }
    assert (values["admin.token"]["value"], values["admin.token"]["secret"]) == ("***", True)
    assert values["http.host"]["value"] == "host-***"
    assert token not in shown.text


async def test_the_configuration_is_the_one_that_a_reload_took_up(service: Service) -> None:
    service.take_up(service.settings, settings({"SHOP_TELEMETRY_LOG_LEVEL": "ERROR"}))

    async with admin_of(service.install(hello)) as admin:
        shown = (await admin.get("/configuration")).json()

    assert shown["values"]["telemetry.log_level"]["value"] == "ERROR"
    assert logging.getLogger().level == logging.ERROR


async def test_a_log_level_is_changed_for_a_while_and_goes_back(service: Service, logs: CapturedLogs) -> None:
    clock = service.clock
    assert isinstance(clock, ManualClock)
    logging.getLogger().setLevel("INFO")
    async with admin_of(service.install(hello)) as admin:
        changed = await admin.put("/log-levels", json={"level": "DEBUG", "seconds": 60})
        named = await admin.put("/log-levels", json={"level": "ERROR", "logger": "platform_lib.health"})
        assert (changed.json()["root"], logging.getLogger().level) == ("DEBUG", logging.DEBUG)
        assert named.json()["loggers"]["platform_lib.health"] == "ERROR"
        assert named.json()["changed_for_a_while"] == ["platform_lib.health", "root"]

        await settle()
        clock.advance(60)
        await settle()
        assert (await admin.get("/log-levels")).json()["root"] == "INFO"
        assert logging.getLogger("platform_lib.health").level == logging.ERROR

        await admin.put("/log-levels", json={"level": None, "logger": "platform_lib.health"})
        assert logging.getLogger("platform_lib.health").level == logging.NOTSET

    assert "log level of root: DEBUG for 60 s, by the admin port" in logs.text()


@pytest.mark.parametrize("name", ["root", "platform_lib.health"])
async def test_two_changes_go_back_to_what_was_before_the_first(service: Service, name: str) -> None:
    clock = service.clock
    assert isinstance(clock, ManualClock)
    logger = logging.getLogger(None if name == "root" else name)
    logger.setLevel("INFO")
    async with admin_of(service.install(hello)) as admin:
        await admin.put("/log-levels", json={"logger": name, "level": "DEBUG", "seconds": 10})
        await settle()
        await admin.put("/log-levels", json={"logger": name, "level": "ERROR", "seconds": 100})
        await settle()
        clock.advance(10)
        await settle()
        assert logger.level == logging.ERROR
        clock.advance(90)
        await settle()

    assert logger.level == logging.INFO


@pytest.mark.parametrize(
    ("body", "location"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"level": "LOUD"}', "body.level"),
        (b"{}", "body.level"),
        (b'{"level": "DEBUG", "seconds": 0}', "body.seconds"),
        (b'{"level": "DEBUG", "seconds": true}', "body.seconds"),
        (b'{"level": "DEBUG", "seconds": 86401}', "body.seconds"),
        (b'{"level": "DEBUG", "logger": 1}', "body.logger"),
        (b'{"level": "DEBUG", "handler": "x"}', "body"),
        (b'{"level": "DEBUG", "level": "INFO"}', "body"),
    ],
)
async def test_a_change_that_cannot_be_understood_is_refused(
    service: Service, body: bytes, location: str
) -> None:
    async with admin_of(service.install(hello)) as admin:
        answer = await admin.put("/log-levels", content=body)

    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (422, location)


async def test_no_logger_is_made_by_naming_it_and_no_large_body_is_read(service: Service) -> None:
    async with admin_of(service.install(hello)) as admin:
        unknown = await admin.put("/log-levels", json={"level": "DEBUG", "logger": "nobody.made.me"})
        large = await admin.put("/log-levels", content=b" " * 5000)

    assert (unknown.status_code, large.status_code) == (404, 413)
    assert "nobody.made.me" not in logging.root.manager.loggerDict


async def test_process_and_tasks_say_what_goes_on(service: Service) -> None:
    async def relay() -> None:
        await asyncio.Event().wait()

    service.worker("relay", relay)
    async with client(service.install(hello)), admin_of(service.install(hello)) as admin:
        await settle()
        process, tasks = (await admin.get("/process")).json(), (await admin.get("/tasks")).json()

    assert (process["service"], process["version"], process["phase"]) == ("shop", "1.2", "ready")
    assert process["requests_in_flight"] == 0
    assert process["workers"] == [
        {"name": "relay", "restart": "backoff", "running_seconds": 0.0, "crashes_in_a_row": 0}
    ]
    places = {task["name"]: task["waits_at"] for task in tasks}
    assert places["worker:relay"].startswith("asyncio.locks:")
    assert places["worker:relay"].endswith(" in Event.wait")


async def test_nothing_here_is_traced_or_counted(service: Service, spans: CapturedSpans) -> None:
    installed = service.install(hello)
    async with client(installed), admin_of(installed) as admin:
        assert (await admin.get("/process")).json()["requests_in_flight"] == 0

    assert spans.forest() == ""


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/secrets", 404), ("POST", "/tasks", 405), ("HEAD", "/tasks", 200)]
)
async def test_other_paths_and_methods_are_refused(
    service: Service, method: str, path: str, status: int
) -> None:
    async with admin_of(service.install(hello)) as admin:
        answer = await admin.request(method, path)

    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"


# Who is let in


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9000", 200),
        ("[::1]:9000", 200),
        ("localhost:9000", 200),
        ("10.1.2.3", 200),
        ("rebound.example.com", 421),
        ("127.0.0.1.example.com", 421),
    ],
)
async def test_without_a_token_a_name_that_was_pointed_here_is_refused(
    service: Service, host: str, status: int
) -> None:
    async with admin_of(service.install(hello), host=host) as admin:
        assert (await admin.get("/process")).status_code == status


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (None, 401),
        (f"Bearer {token}", 200),
        (f"bearer {token}", 200),
        (f"Bearer {token}x", 401),
        (f"Basic {token}", 401),
        (token, 401),
        ("Bearer the-one-before-it", 200),
    ],
)
async def test_with_a_token_every_page_needs_it_and_the_one_before_it_still_works(
    given: str | None, status: int
) -> None:
    service = Service(
        "shop", settings({"SHOP_ADMIN_TOKEN": f"{token}\nthe-one-before-it"}), clock=ManualClock()
    )
    headers = {} if given is None else {"Authorization": given}
    async with admin_of(service.install(hello), host="admin.shop.internal", **headers) as admin:
        answers = [await admin.get(path) for path in ("/livez", "/configuration", "/nothing")]

    assert [answer.status_code for answer in answers] == [status, status, 404 if status == 200 else 401]
    if status == 401:
        assert answers[0].headers["www-authenticate"] == 'Bearer realm="admin"'
        assert answers[0].headers["content-type"] == "application/problem+json"
    assert all(token not in answer.text for answer in answers)


async def test_a_token_that_is_sent_twice_is_none() -> None:
    service = Service("shop", settings({"SHOP_ADMIN_TOKEN": token}), clock=ManualClock())
    async with admin_of(service.install(hello)) as admin:
        twice = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer another")]
        assert (await admin.get("/livez", headers=twice)).status_code == 401


async def test_a_rotated_token_is_taken_up_by_a_reload() -> None:
    service = Service("shop", settings({"SHOP_ADMIN_TOKEN": token}), clock=ManualClock())
    async with admin_of(service.install(hello), Authorization="Bearer quite-another-token") as admin:
        assert (await admin.get("/livez")).status_code == 401
        service.take_up(service.settings, settings({"SHOP_ADMIN_TOKEN": "quite-another-token"}))
        assert (await admin.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"SHOP_ADMIN_TOKEN": "short"}, "a token of at least 16 characters"),
        ({"SHOP_ADMIN_TOKEN": f"{token}\nshort"}, "a token of at least 16 characters"),
        ({"SHOP_ADMIN_PORT": "9000", "SHOP_ADMIN_HOST": "0.0.0.0"}, "must have a token, or host 127.0.0.1"),  # noqa: S104
        ({"SHOP_ADMIN_PORT": "9000", "SHOP_ADMIN_HOST": "shop"}, "must have a token, or host 127.0.0.1"),
    ],
)
def test_settings_that_would_let_strangers_in_are_refused(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings(environ)


@pytest.mark.parametrize(
    ("environment", "given", "details"),
    [
        ("production", None, False),
        ("production", f"Bearer {token}", True),
        ("production", "Bearer wrong", False),
        ("development", None, False),  # a token that is set is asked for everywhere
        ("development", f"Bearer {token}", True),
    ],
)
async def test_details_on_the_main_port_need_the_token_where_one_is_set(
    environment: Literal["development", "production"], given: str | None, *, details: bool
) -> None:
    service = Service(
        "shop",
        settings({"SHOP_ADMIN_TOKEN": token}, environment=environment),
        clock=ManualClock(),
    )
    headers = {} if given is None else {"Authorization": given}
    async with client(service.install(hello)) as http:
        answer = await http.get("/readyz?verbose", headers=headers)
        terse = await http.get("/readyz", headers=headers)

    assert answer.status_code == 200
    assert ("checks" in answer.json()) is details
    assert terse.json() == {"status": "pass"}
