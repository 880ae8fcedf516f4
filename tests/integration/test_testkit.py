"""The fixtures on real servers and real processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx2
import nats
import psutil
import pytest

from platform_lib.clock import ManualClock
from platform_lib.engines import Engine
from platform_lib.sandbox import Sandbox
from platform_lib.testing import Databases, ServiceNotReady, StartService

_calls: list[str] = []


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    import asyncio  # noqa: PLC0415  # only this fixture runs a loop of its own

    async def create_table(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE payments (id int PRIMARY KEY)")
        await connection.close()

    def run(url: str) -> None:
        _calls.append(url)
        asyncio.run(create_table(url))

    return run


@pytest.mark.parametrize("run", ["first", "second"])
async def test_each_test_has_a_migrated_database_of_its_own(database_url: str, run: str) -> None:
    """Migrated once: the second test clones what the first one's migration made, without its rows."""
    del run
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM payments") == 0
        await connection.execute("INSERT INTO payments VALUES (1)")
    finally:
        await connection.close()

    assert len(_calls) == 1


async def test_a_database_is_dropped_whoever_is_still_connected(
    databases: Databases, migrate: Callable[[str], object], postgres_engine_running: Engine
) -> None:
    url = databases.create(migrate)
    left_open = await asyncpg.connect(url)
    administrator = await asyncpg.connect(postgres_engine_running.url)
    try:
        databases.drop(url)

        name = url.rpartition("/")[2]
        assert not await administrator.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
    finally:
        await administrator.close()
        left_open.terminate()


async def test_nothing_is_left_on_a_server_that_was_there_before(postgres_engine_running: Engine) -> None:
    """Template and databases go; that the server is not ours makes no difference."""
    connection = await asyncpg.connect(postgres_engine_running.url)
    try:
        before = await connection.fetch("SELECT datname FROM pg_database")

        with Databases(postgres_engine_running.url) as databases:
            databases.drop(databases.create(lambda _: None))

        assert await connection.fetch("SELECT datname FROM pg_database") == before
    finally:
        await connection.close()


@pytest.mark.parametrize("run", ["first", "second"])
async def test_each_test_finds_a_broker_without_streams(broker_url: str, run: str) -> None:
    del run
    connection = await nats.connect(broker_url)
    try:
        assert await connection.jetstream().streams_info() == []
        await connection.jetstream().add_stream(name="PAYMENTS", subjects=["payments.>"])
    finally:
        await connection.close()


async def test_the_sandbox_answers_on_a_socket_and_runs_on_the_clock_of_the_test(
    sandbox: Sandbox, clock: ManualClock
) -> None:
    async with httpx2.AsyncClient(base_url=sandbox.url) as client:
        response = await client.post(
            "/v1/authorisations",
            headers={"Authorization": f"Bearer {sandbox.settings.api_key.reveal()}"},
            json={
                "reference": "order-1",
                "amount": {"minor_units": 1250, "currency": "EUR"},
                "token": "tok_approved",
            },
        )

    assert response.status_code == 201
    assert response.json()["status"] == "approved"
    assert response.json()["created_at"].startswith(clock.now().strftime("%Y-%m-%dT%H:%M"))


# Services as processes: a package of a few lines stands for one.

_service = """
import http.server, os, signal, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

if os.environ.get("TILL_FAILS"):
    sys.exit("till: no database")
try:
    address = os.environ["TILL_HTTP_HOST"], int(os.environ["TILL_HTTP_PORT"])
    server = http.server.HTTPServer(address, Handler)
except OSError:
    sys.exit(f"till: port {os.environ['TILL_HTTP_PORT']} is in use")
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("till: serving in", os.environ["TILL_ENVIRONMENT"], sys.argv[1:])
server.serve_forever()
print("till: stopped")
"""


@pytest.fixture(autouse=True)
def _till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "src" / "till"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_service)
    monkeypatch.syspath_prepend(tmp_path / "src")


async def test_a_service_is_ready_when_it_is_handed_over_and_stops_when_asked(
    service_process: StartService,
) -> None:
    till = await service_process("till")

    async with httpx2.AsyncClient(base_url=till.url) as client:
        assert (await client.get("/readyz")).status_code == 200
    assert await till.stop() == 0
    assert till.logs() == "till: serving in test ['serve']\n127.0.0.1" or till.logs().endswith(
        "till: stopped"
    )
    assert till.logs().startswith("till: serving in test ['serve']")


async def test_a_killed_service_is_gone_at_once(service_process: StartService) -> None:
    till = await service_process("till")

    till.kill()

    assert till.exit_status == -signal.SIGKILL
    assert not psutil.pid_exists(till.pid)


async def test_two_services_run_beside_each_other(service_process: StartService) -> None:
    one, other = await service_process("till"), await service_process("till")

    assert one.url != other.url


async def test_a_service_that_does_not_start_is_reported_with_its_log(service_process: StartService) -> None:
    with pytest.raises(ServiceNotReady, match="till: ended with status 1 while starting\ntill: no database"):
        await service_process("till", environment={"TILL_FAILS": "1"})


def test_a_failed_test_shows_the_log_of_its_service(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makeini(f"""
        [pytest]
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = function
        pythonpath = {tmp_path / "src"}
    """)
    pytester.makepyfile("""
        async def test_service(service_process):
            await service_process("till")
            assert False
    """)

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*log of till (pid *", "till: serving in test *serve*"])
