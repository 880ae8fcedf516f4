"""A fleet of one small template: some services clean, some in conflict, some with nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from paypath.scaffold.fleet import local_executor
from paypath.scaffold.upgrade import upgrade_run
from tests.unit.scaffold.upgrade.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    cache = tmp_path / "cache"
    monkeypatch.setenv("PAYPATH_CACHE", str(cache))
    with upgrade_run(cache) as run:
        yield World(tmp_path, run)


@pytest.fixture
def workers() -> Iterator[object]:
    with local_executor(2) as executor:
        yield executor
