"""The order of the demo: generate, start, migrate, serve, play, show."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from paypath.demo.collector import Collector
from paypath.demo.findings import show_events, show_health, show_trace
from paypath.demo.performance import Performance
from paypath.demo.ports import choose_port
from paypath.demo.stage import StageFailed, process, run, wait_until_ready
from paypath.demo.story import Story
from paypath.demo.teller import Teller
from paypath.scaffold import new
from platform_lib.clock import Clock
from platform_lib.engines import Child, Engine, EngineChoice, nats_engine, postgres_engine
from platform_lib.security import new_key

_service = "payments"
# These open a simulator that ends with the demo.
_provider_key = "sk_test_demo"
_webhook_secret = "whsec_ZGVtby13ZWJob29rLXNlY3JldC0zMi1ieXRlcyE="  # noqa: S105


@contextmanager
def perform(
    root: Path, teller: Teller, *, clock: Clock, port: int | None = None, engine: EngineChoice = "auto"
) -> Iterator[Performance]:
    """Generate a service under *root*, start everything, play the story; hand over while all still runs.

    Everything that was started is stopped when the block ends, however it ends.

    Raises:
        PortTaken: *port* was asked for and is held by somebody else.
        StageFailed: something did not come up.
    """
    with ExitStack() as stack:
        stack.enter_context(_alone_in(root))
        merchant = new_key("acme", mode="test")
        shown = Performance(folder=root / _service, merchant_key=merchant.key)
        teller.step("Generating the service")
        _generate(shown, teller)

        service_port = choose_port("service", asked=port, usual=8080, say=teller.note)
        provider_port = choose_port("provider", asked=None, usual=8090, say=teller.note)
        shown.url = f"http://127.0.0.1:{service_port}"

        teller.step("Starting the database, the broker and the provider")
        collector = stack.enter_context(Collector())
        # The provider is a Python process, which takes its time to load; the other two start meanwhile.
        provider = _launch_provider(stack, shown, provider_port)
        database, broker = _start_engines(stack, shown, engine, teller)
        provider_url = _wait_for_provider(provider, shown, provider_port, teller, clock)
        variables = {
            "PYTHONPATH": str(shown.folder / "src"),
            "PAYMENTS_HTTP_PORT": str(service_port),
            "PAYMENTS_LIFECYCLE_DRAIN": "0s",
            "PAYMENTS_DATABASE_URL": database.url,
            "PAYMENTS_EVENTS_URL": broker.url,
            "PAYMENTS_PROVIDER_URL": provider_url,
            "PAYMENTS_MERCHANTS_KEYS": str(merchant.stored),
            "PAYMENTS_PROVIDER_API_KEY": _provider_key,
            "PAYMENTS_PROVIDER_WEBHOOK_SECRET": _webhook_secret,
            "PAYMENTS_SWEEPER_INTERVAL": "200ms",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_METRICS_EXPORTER": "none",  # the demo's collector takes spans alone
        }
        teller.step("Migrating the database and starting the service")
        _start_service(stack, shown, variables, teller, clock)

        teller.step("Playing the story")
        for step in Story(shown.url, merchant.key, provider_url, _provider_key, clock=clock).play():
            shown.steps.append(step)
            teller.played(step)

        teller.step("What happened")
        show_events(shown, broker.url, _service, teller)
        show_trace(shown, collector, teller)
        show_health(shown, teller)
        yield shown


def _generate(shown: Performance, teller: Teller) -> None:
    with teller.timed() as done:
        made = new(shown.folder, kind="payment-service", worktree=True)
        done("service", f"{_where(shown.folder)}, {len(made.files)} files")


def _start_engines(
    stack: ExitStack, shown: Performance, engine: EngineChoice, teller: Teller
) -> tuple[Engine, Engine]:
    for name, start, usual in (("postgres", postgres_engine, 15432), ("nats", nats_engine, 14222)):
        port = choose_port(name, asked=None, usual=usual, say=teller.note)
        with teller.timed() as done:
            running = stack.enter_context(
                start(choice=engine, prefer="embedded", port=port, announce=teller.note)
            )
            shown.engines.append(running)
            done(running.resource, f"{running.name}: {running.detail}; {running.reason}")
    database, broker = shown.engines
    return database, broker


def _launch_provider(stack: ExitStack, shown: Performance, port: int) -> Child:
    return stack.enter_context(
        process(
            "platform_lib.sandbox",
            "--port",
            str(port),
            "--webhook-url",
            f"{shown.url}/v1/provider-events",
            log=_log(shown, "provider"),
            variables={"SANDBOX_API_KEY": _provider_key, "SANDBOX_WEBHOOK_SECRET": _webhook_secret},
        )
    )


def _wait_for_provider(provider: Child, shown: Performance, port: int, teller: Teller, clock: Clock) -> str:
    url = f"http://127.0.0.1:{port}"
    with teller.timed() as done:
        wait_until_ready("provider", provider, f"{url}/sandbox/state", clock)
        shown.engines.append(Engine("provider", "embedded", url, "the simulator as a process", "sandbox"))
        done("provider", f"sandbox: the simulator as a process, at {url}")
    return url


def _start_service(
    stack: ExitStack, shown: Performance, variables: dict[str, str], teller: Teller, clock: Clock
) -> None:
    with teller.timed() as done:
        run("migrate", _service, "migrate", log=_log(shown, "migrate"), variables=variables)
        done("schema", "up to date")
    with teller.timed() as done:
        service = stack.enter_context(
            process(_service, "serve", log=_log(shown, "service"), variables=variables)
        )
        wait_until_ready("service", service, f"{shown.url}/readyz", clock)
        done("service", f"ready at {shown.url}; its API is described at {shown.url}/docs")


def _log(shown: Performance, name: str) -> Path:
    logs = shown.folder.parent / "logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{name}.log"
    log.unlink(missing_ok=True)
    return log


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Hold the demo's folder; a second demo in it would pull the files from under the first."""
    root.mkdir(parents=True, exist_ok=True)
    # Everything here is made anew by every run; nobody wants it in a commit.
    (root / ".gitignore").write_text("*\n", encoding="utf-8")
    with (root / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fact = "another demo runs in it; stop that one, or give this one another --directory"
            raise StageFailed(f"{_where(root)}: {fact}") from None
        shutil.rmtree(root / _service, ignore_errors=True)
        yield


def _where(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
