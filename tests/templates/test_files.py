"""The files of a render, whatever the answers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from paypath.scaffold.git import git
from paypath.scaffold.ownership import ownership
from paypath.template_ci.trees import tree
from tests.templates.conftest import Rendered
from tests.templates.engines import copier, repository, run
from tests.templates.matrix import kinds, matrix

_ruff = Path(sys.executable).with_name("ruff")


@pytest.mark.parametrize("kind", kinds)
def test_no_file_is_one_that_the_service_ignores(rendered: Rendered, tmp_path: Path, kind: str) -> None:
    """An update would overwrite what a user keeps there, and git could not bring it back."""
    service = repository(shutil.copytree(rendered(kind, {}), tmp_path / "new"))

    assert (service / ".gitignore").is_file()
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard", folder=service) == ""


@pytest.mark.parametrize("kind", kinds)
@pytest.mark.parametrize("answers", matrix.values(), ids=matrix)
def test_formatter_and_linter_find_nothing_whatever_the_names(
    rendered: Rendered, kind: str, answers: Mapping[str, str]
) -> None:
    """Longer and shorter names move line breaks and imports."""
    service = rendered(kind, answers)

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


@pytest.mark.parametrize("kind", kinds)
@pytest.mark.parametrize("answers", ["defaults", "dashes"])
def test_the_list_of_owners_names_every_file_once(rendered: Rendered, kind: str, answers: str) -> None:
    service = rendered(kind, matrix[answers])

    owned = ownership(service)
    files = {str(path.relative_to(service)) for path in service.rglob("*") if path.is_file()}
    assert set(owned) == files, "name each rendered file in .paypath/ownership.toml of its kind"


@pytest.mark.parametrize("kind", kinds)
def test_files_of_the_platform_say_so_on_their_first_line(rendered: Rendered, kind: str) -> None:
    service = rendered(kind, {})

    for path, owner in ownership(service).items():
        first = (service / path).read_text().partition("\n")[0]
        # The answers file has copier's own warning.
        expected = owner == "platform" and path != ".copier-answers.yml"
        assert first.startswith("# Owned by the platform: an upgrade rewrites this file.") == expected, path


@pytest.mark.parametrize("kind", kinds)
def test_what_is_seeded_once_survives_plain_copier(
    plain: Path, rendered: Rendered, tmp_path: Path, kind: str
) -> None:
    """`_skip_if_exists` of copier.yml and the list of owners say the same; all else is written anew."""
    service = shutil.copytree(rendered(kind, {}), tmp_path / "new")
    before = tree(service)
    for path in set(ownership(service)) - {".copier-answers.yml"}:  # copier's own, which it reads
        (service / path).write_text("ours\n")

    copier(plain, service, {"kind": kind, "platform_source": "../paypath"}, "--overwrite")

    after = tree(service)
    kept = {path for path, owner in ownership(service).items() if after[path][1] == b"ours\n"}
    assert kept == {path for path, owner in ownership(service).items() if owner == "seeded"}
    assert {path: after[path] for path in after if path not in kept} == {
        path: before[path] for path in before if path not in kept
    }
