"""The committed examples are what the templates render, and work as services of their own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from paypath.scaffold import new
from paypath.scaffold.examples import differences, examples, main, render_example
from tests.templates.engines import run
from tests.templates.matrix import kinds, root

# The environment of these tests has everything that a service needs.
_check_and_test = ("make", "check", "test", f"VENV={Path(sys.executable).parents[1]}", "READY=1")


@pytest.mark.parametrize("name", examples)
def test_the_committed_example_is_what_its_template_renders(tmp_path: Path, name: str) -> None:
    render_example(root, name, tmp_path / name)

    assert differences(root / "examples" / name, tmp_path / name) == [], (
        "run `make examples`, and read the diff"
    )


def test_every_folder_of_examples_is_a_render() -> None:
    assert sorted(path.name for path in (root / "examples").iterdir() if path.is_dir()) == sorted(examples)


def test_a_stale_example_is_found(tmp_path: Path) -> None:
    fresh, held = tmp_path / "fresh", tmp_path / "held"
    render_example(root, "payments", fresh)
    shutil.copytree(fresh, held)
    run("git", "init", "-q", folder=held)
    (held / "README.md").write_text("edited\n")
    (held / "pyproject.toml").unlink()
    (held / "extra").write_text("left over\n")

    assert differences(held, fresh) == ["README.md", "extra", "pyproject.toml"]


def test_the_check_tells_and_touches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == "examples are what the templates render\n"


@pytest.mark.parametrize("name", examples)
@pytest.mark.timeout(600)
def test_an_example_passes_its_own_checks_and_tests_in_another_place(tmp_path: Path, name: str) -> None:
    render_example(root, name, tmp_path / name)

    run(*_check_and_test, folder=tmp_path / name)


def test_every_kind_has_an_example() -> None:
    assert sorted(answers["kind"] for answers in examples.values()) == kinds


@pytest.mark.parametrize("kind", kinds)
@pytest.mark.timeout(600)
def test_a_service_of_any_other_name_passes_them_too(plain: Path, tmp_path: Path, kind: str) -> None:
    """Nothing in the tree is called as the example is by accident."""
    answers = {"service_name": "card-till", "package": "till_of_cards", "title": "The till"}
    service = new(tmp_path / "new", kind=kind, source=str(plain), answers=answers).folder

    run(*_check_and_test, folder=service)
