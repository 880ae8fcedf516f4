"""The files of a render, whatever the answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from paypath.scaffold.git import git
from tests.templates.engines import copier, repository, run
from tests.templates.test_engines_agree import matrix

_ruff = Path(sys.executable).with_name("ruff")


def test_no_file_is_one_that_the_service_ignores(plain: Path, tmp_path: Path) -> None:
    """An update would overwrite what a user keeps there, and git could not bring it back."""
    service = repository(copier(plain, tmp_path / "new", {}))

    assert (service / ".gitignore").is_file()
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard", folder=service) == ""


@pytest.mark.parametrize("answers", matrix.values(), ids=matrix)
def test_formatter_and_linter_find_nothing_whatever_the_names(
    plain: Path, tmp_path: Path, answers: dict[str, str]
) -> None:
    """Longer and shorter names move line breaks and imports."""
    service = copier(plain, tmp_path / "new", answers)

    run(_ruff, "format", "--check", "--diff", "--no-cache", ".", folder=service)
    run(_ruff, "check", "--no-cache", ".", folder=service)


def test_line_ends_are_lf_and_every_file_ends_with_one(plain: Path) -> None:
    for path in plain.rglob("*"):
        if path.is_file() and (content := path.read_bytes()):
            assert b"\r" not in content, path
            assert content.endswith(b"\n"), path


def test_names_of_files_are_fit_for_every_system(plain: Path) -> None:
    for path in plain.rglob("*"):
        name = path.name.replace("{{cookiecutter.service_name}}", "x").replace(
            "{{cookiecutter.package}}", "x"
        )
        assert not set(name) & set('<>:"|?*\\{} '), path
