"""The pytest plugin: fixtures for engines, time, ids, spans and services, and a summary of what ran on what.

pytest finds it by its entry point wherever the distribution is installed. Loading it is cheap: everything
that a fixture needs is imported when the fixture is used.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from platform_lib.testing._engines import (
    check_options,
    could_not_run,
    engine_choices,
    engine_lines,
    require_container_engine,
)
from platform_lib.testing._fixtures import (
    _broker_loop,
    app,
    assert_no_secret,
    broker_url,
    canaries,
    client,
    clock,
    database_url,
    databases,
    fail_check,
    ids,
    logs,
    metrics,
    migrate,
    nats_engine_running,
    postgres_engine_running,
    sandbox,
    sandbox_settings,
    service_process,
    settings,
    spans,
    what_happened,
)

__all__ = [
    "_broker_loop",
    "app",
    "assert_no_secret",
    "broker_url",
    "canaries",
    "client",
    "clock",
    "database_url",
    "databases",
    "fail_check",
    "ids",
    "logs",
    "metrics",
    "migrate",
    "nats_engine_running",
    "postgres_engine_running",
    "sandbox",
    "sandbox_settings",
    "service_process",
    "settings",
    "spans",
]

_sent_by_worker = "paypath_engines"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--engine``."""
    parser.getgroup("paypath", "Paypath").addoption(
        "--engine",
        dest="paypath_engine",
        choices=engine_choices,
        default=os.environ.get("PAYPATH_ENGINE") or "auto",
        help="who runs PostgreSQL and NATS: auto is a container where one can run, else embedded; "
        "also PAYPATH_ENGINE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options and register the marker, for projects that do not."""
    config.addinivalue_line(
        "markers", "container: needs a container engine; without one it cannot run, and the summary says so"
    )
    check_options(config)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which engine was asked for."""
    return f"engines: {config.getoption('paypath_engine')}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """See to it that a container test has a container engine, or says why not."""
    if item.get_closest_marker("container"):
        require_container_engine(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test the traces and the logs of the processes that it had."""
    report = yield
    if report.failed:
        for title, text in item.stash.get(what_happened, {}).items():
            report.sections.append((title, text()))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send what a worker of pytest-xdist knows to the process that prints the summary."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_sent_by_worker] = session.config.stash.get(engine_lines, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive it; *node* is a worker that has ended."""
    lines = getattr(node, "workeroutput", {}).get(_sent_by_worker, [])
    node.config.stash.setdefault(engine_lines, []).extend(lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which engine each resource got, and how many container tests could not run and why."""
    lines = config.stash.get(engine_lines, [])
    if lines:
        terminalreporter.write_line("engines: " + " · ".join(dict.fromkeys(lines)))
    reasons = [
        str(reason)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "setup"
        for name, reason in report.user_properties
        if name == could_not_run
    ]
    if reasons:
        count = f"{len(reasons)} container test{'s' if len(reasons) > 1 else ''}"
        terminalreporter.write_line(f"engines: {count} could not run: {reasons[0]}")
