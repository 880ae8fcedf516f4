"""The fixtures that every test run has; what they need is imported when they are used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from platform_lib.clock import ManualClock, TickingClock
from platform_lib.ids import SequentialIds
from platform_lib.testing._broker import fresh_streams
from platform_lib.testing._client import ASGIApp, in_process_client
from platform_lib.testing._databases import Databases, Migrate
from platform_lib.testing._engines import start_engine
from platform_lib.testing._logs import CapturedLogs, capture_logs
from platform_lib.testing._loop import LoopThread
from platform_lib.testing._metrics import CapturedMetrics, capture_metrics
from platform_lib.testing._responses import remember_responses
from platform_lib.testing._spans import CapturedSpans, capture_spans

if TYPE_CHECKING:
    import httpx2

    from platform_lib.engines import Engine
    from platform_lib.health import ForcedFailure, HealthChecks
    from platform_lib.sandbox import Sandbox, SandboxSettings
    from platform_lib.testing._canaries import Canaries
    from platform_lib.testing._no_secret import NoSecret
    from platform_lib.testing._service_process import ServiceProcess, StartService

_webhook_secret = "whsec_cGF5cGF0aC10ZXN0LXdlYmhvb2stc2VjcmV0LTAx"  # noqa: S105  # known to all, signs test data

FailCheck = Callable[[str], "ForcedFailure"]
"""What the fixture ``fail_check`` gives: takes a check's name, returns what releases it."""


@pytest.fixture
def clock() -> ManualClock:
    """Time that moves only when the test says so."""
    return ManualClock()


@pytest.fixture
def ids() -> SequentialIds:
    """Ids that count from one."""
    return SequentialIds()


what_happened = pytest.StashKey[dict[str, Callable[[], str]]]()
"""On a test: texts to show when it fails, by their titles; made only then."""


@pytest.fixture
def spans(request: pytest.FixtureRequest) -> Iterator[CapturedSpans]:
    """The spans that end during the test; shown as trees when it fails. Ids and durations count."""
    with capture_spans(clock=TickingClock(), count_ids=True) as captured:
        request.node.stash.setdefault(what_happened, {})["captured spans"] = captured.forest
        yield captured


@pytest.fixture
def logs(request: pytest.FixtureRequest) -> Iterator[CapturedLogs]:
    """The log lines of the test as the platform writes them, after redaction; shown when it fails."""
    with capture_logs() as captured:
        request.node.stash.setdefault(what_happened, {})["captured log lines"] = captured.text
        yield captured


@pytest.fixture
def metrics(request: pytest.FixtureRequest) -> Iterator[CapturedMetrics]:
    """What was measured since the test began, through any OpenTelemetry instrument; shown when it fails."""
    with capture_metrics() as captured:
        request.node.stash.setdefault(what_happened, {})["captured metrics"] = captured.text
        yield captured


@pytest.fixture
def fail_check(app: Any) -> Iterator[FailCheck]:
    """A function that makes a health check of `app` fail, until released or the test ends."""
    health: HealthChecks = app.service.health
    with ExitStack() as forced:

        def fail(name: str) -> ForcedFailure:
            return forced.enter_context(health.fail(name))

        yield fail


@pytest.fixture
def canaries() -> Canaries:
    """Card numbers, an IBAN, tokens and passwords to plant; `assert_no_secret` looks for them."""
    from platform_lib.testing._canaries import Canaries  # noqa: PLC0415  # few tests plant any

    return Canaries()


_responses_seen = pytest.StashKey[dict[str, Any]]()


@pytest.fixture
def assert_no_secret(
    canaries: Canaries,
    spans: CapturedSpans,
    logs: CapturedLogs,
    metrics: CapturedMetrics,
    request: pytest.FixtureRequest,
) -> NoSecret:
    """A search for `canaries` in all that came out: await it at the end, with further outputs by name.

    Searched are spans, log lines, metrics, what `client` was answered, settings, the logs of service
    processes, the database and the broker, as far as the test has them.
    """
    from platform_lib.testing._no_secret import NoSecret  # noqa: PLC0415  # as above

    stash = request.node.stash
    search = NoSecret(canaries, {"spans": lambda: spans, "logs": lambda: logs, "metrics": lambda: metrics})
    search.known["responses"] = lambda: stash.get(_responses_seen, {})
    search.known["shown"] = lambda: {title: text() for title, text in stash.get(what_happened, {}).items()}
    present = {
        name: request.getfixturevalue(name)
        for name in ("settings", "database_url", "broker_url")
        if name in request.fixturenames
    }
    search.database_url, search.broker_url = present.get("database_url"), present.get("broker_url")
    search.known["settings"] = lambda: present.get("settings", "")
    return search


@pytest.fixture(scope="session")
def postgres_engine_running(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The PostgreSQL server of this test run."""
    with start_engine("postgres", request.config) as engine:
        yield engine


@pytest.fixture(scope="session")
def nats_engine_running(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The NATS server of this test run."""
    with start_engine("nats", request.config) as engine:
        yield engine


@pytest.fixture(scope="session")
def migrate() -> Migrate:
    """How to prepare a database, given its URL; a service overrides this. Done once, cloned for each test."""
    return _leave_empty


def _leave_empty(url: str) -> None:
    del url


@pytest.fixture(scope="session")
def databases(postgres_engine_running: Engine) -> Iterator[Databases]:
    """The databases of this test run, for tests that need more than one."""
    with Databases(postgres_engine_running.url) as databases:
        yield databases


@pytest.fixture
def database_url(databases: Databases, migrate: Migrate) -> Iterator[str]:
    """The URL of a migrated database that is the test's alone."""
    url = databases.create(migrate)
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def _broker_loop() -> Iterator[LoopThread]:
    with LoopThread() as loop:
        yield loop


@pytest.fixture
def broker_url(nats_engine_running: Engine, _broker_loop: LoopThread) -> Iterator[str]:
    """The URL of a NATS server with JetStream; streams made by the test are deleted after it."""
    with fresh_streams(nats_engine_running.url, _broker_loop):
        yield nats_engine_running.url


@pytest.fixture
def settings() -> Any:
    """The settings of the service under test; the service overrides this."""
    pytest.fail("settings: no such fixture in this project; define it in tests/conftest.py", pytrace=False)


@pytest.fixture
def app() -> ASGIApp:
    """The ASGI application under test, as served; the service overrides this."""
    pytest.fail("app: no such fixture in this project; define it in tests/conftest.py", pytrace=False)


@pytest_asyncio.fixture
async def client(app: ASGIApp, request: pytest.FixtureRequest) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client of the application in this process, started and stopped around the test."""
    if "assert_no_secret" in request.fixturenames:
        app = remember_responses(app, request.node.stash.setdefault(_responses_seen, {}))
    async with in_process_client(app) as client:
        yield client


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """The settings of the sandbox: a free port, the public test key, a webhook secret; override it."""
    from platform_lib.config import Secret  # noqa: PLC0415  # the plugin loads in every test run
    from platform_lib.sandbox import SandboxSettings  # noqa: PLC0415  # as above

    return SandboxSettings(webhook_secret=Secret(_webhook_secret))


@pytest_asyncio.fixture
async def sandbox(sandbox_settings: SandboxSettings, clock: ManualClock) -> AsyncIterator[Sandbox]:
    """The provider simulator on a real socket, with the test's clock and ids of its own."""
    from platform_lib.sandbox import Sandbox  # noqa: PLC0415  # as above

    async with Sandbox(sandbox_settings, clock=clock, ids=SequentialIds()) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def service_process(request: pytest.FixtureRequest) -> AsyncIterator[StartService]:
    """A function that starts a service as a process and returns it ready; see `start_service` for arguments.

    Processes end after the test; their logs are shown when it fails.
    """
    from platform_lib.engines import scratch_folder  # noqa: PLC0415  # as above
    from platform_lib.testing._service_process import start_service  # noqa: PLC0415  # as above

    started: list[ServiceProcess] = []
    texts = request.node.stash.setdefault(what_happened, {})

    async def start(package: str, **options: Any) -> ServiceProcess:
        process = await start_service(package, folder, **options)
        started.append(process)
        texts[f"log of {package} (pid {process.pid})"] = process.logs
        return process

    with scratch_folder("service") as folder:
        yield start
        for process in reversed(started):
            await process.stop()
