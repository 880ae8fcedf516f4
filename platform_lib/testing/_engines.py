"""Which engine the tests get, and what the summary says about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from platform_lib.engines import Engine, EngineChoice

engine_choices = ("auto", "embedded", "container")
engine_lines = pytest.StashKey[list[str]]()
_missing = pytest.StashKey[str | None]()

_require_variable = "PAYPATH_REQUIRE_CONTAINERS"
could_not_run = "paypath_container_test_could_not_run"
"""Name of the property on the report of a test that needed a container engine; its value is the reason."""


def containers_required() -> bool:
    """Return whether a missing container engine is a failure here, as it is in a full check."""
    return os.environ.get(_require_variable, "") not in {"", "0"}


def check_options(config: pytest.Config) -> None:
    """Refuse an engine that does not exist (pytest checks the option only) and contradictions."""
    engine = config.getoption("paypath_engine")
    if engine not in engine_choices:
        raise pytest.UsageError(f"PAYPATH_ENGINE={engine}: no such engine; use {', '.join(engine_choices)}")
    if containers_required() and engine == "embedded":
        raise pytest.UsageError(f"--engine embedded: {_require_variable} is set; drop one of the two")


@contextmanager
def start_engine(resource: Literal["postgres", "nats"], config: pytest.Config) -> Iterator[Engine]:
    """Run the server of *resource* that the options ask for, and note it for the summary."""
    from platform_lib import engines  # noqa: PLC0415  # the plugin loads in every test run, also those without one

    run = engines.postgres_engine if resource == "postgres" else engines.nats_engine
    choice: EngineChoice = config.getoption("paypath_engine")
    if choice == "auto" and containers_required():
        choice = "container"
    with run(
        choice=choice,
        prefer="container",
        url=os.environ.get(f"PAYPATH_{resource.upper()}_URL"),
        announce=lambda line: _announce(config, line),
    ) as engine:
        config.stash.setdefault(engine_lines, []).append(str(engine))
        yield engine


def _announce(config: pytest.Config, line: str) -> None:
    """Write a line at once, past the capturing: it announces something slow."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None and capture is not None:  # a worker of pytest-xdist has no terminal
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n{line}")


def require_container_engine(item: pytest.Item) -> None:
    """Skip a test that needs containers where they cannot be had, or fail it where they are required."""
    reason = item.config.stash.get(_missing, "")
    if reason == "":
        reason = _why_no_containers(item.config)
        item.config.stash[_missing] = reason
    if reason is None:
        return
    item.user_properties.append((could_not_run, reason))
    if containers_required():
        pytest.fail(f"{_require_variable} is set, but {reason}", pytrace=False)
    pytest.skip(f"container tests could not run: {reason}")


def _why_no_containers(config: pytest.Config) -> str | None:
    if config.getoption("paypath_engine") == "embedded":
        return "--engine embedded asks for none"
    from platform_lib.engines import NoContainerEngine, container_engine  # noqa: PLC0415  # as above

    engine = container_engine()
    return engine.reason if isinstance(engine, NoContainerEngine) else None
