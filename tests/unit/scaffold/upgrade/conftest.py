"""A world of one small template, made anew for each test; renders are kept between tests, as for users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from paypath.scaffold.upgrade import upgrade_run
from tests.unit.scaffold.upgrade.world import World


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PAYPATH_CACHE", str(folder))
    return folder


@pytest.fixture
def world(tmp_path: Path, cache: Path) -> Iterator[World]:
    with upgrade_run(cache) as run:
        yield World(tmp_path, run)
