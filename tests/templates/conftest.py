"""The templates of this work tree, away from it: as a plain folder and as a git repository of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from paypath.scaffold._record import record_file
from paypath.scaffold.sources import snapshot
from tests.templates.engines import copier, repository
from tests.templates.matrix import root


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates as they are now, without git and without a release."""
    folder = snapshot(root, tmp_path_factory.mktemp("plain") / "paypath")
    (folder / record_file).unlink()
    return folder


@pytest.fixture(scope="session")
def released(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a git repository with one commit; not to be changed."""
    return repository(shutil.copytree(plain, tmp_path_factory.mktemp("released") / "paypath", symlinks=True))


Rendered = Callable[[str, Mapping[str, str]], Path]
"""What the fixture `rendered` gives: takes a kind and answers, returns the folder."""


@pytest.fixture(scope="session")
def rendered(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A function that returns a render by plain copier, made once for all tests; not to be changed."""
    made: dict[tuple[str, ...], Path] = {}

    def render(kind: str, answers: Mapping[str, str]) -> Path:
        answers = {"kind": kind, "platform_source": "../paypath", **answers}
        key = tuple(f"{name}={answer}" for name, answer in answers.items())
        if key not in made:
            made[key] = copier(plain, tmp_path_factory.mktemp("rendered") / "new", answers)
        return made[key]

    return render


@pytest.fixture
def checkout(plain: Path, tmp_path: Path) -> Path:
    """The same as a git repository that a test may change."""
    return repository(shutil.copytree(plain, tmp_path / "paypath", symlinks=True))


@pytest.fixture(autouse=True)
def bare_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither engine finds settings, replays or caches of whoever runs the tests."""
    home = str(tmp_path_factory.mktemp("home"))
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, home)
    monkeypatch.delenv("COPIER_SETTINGS_PATH", raising=False)
