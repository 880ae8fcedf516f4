"""Plain `copier update` in a generated service, as Renovate runs it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from paypath.scaffold import new
from paypath.scaffold.git import git
from tests.templates.engines import commit, cookiecutter, copier, repository, run, tree

_tree = "templates/payment-service/{{cookiecutter.service_name}}"
_copier = Path(sys.executable).with_name("copier")


def _change(checkout: Path, path: str, old: str, replacement: str) -> None:
    file = checkout / _tree / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, replacement, 1))


def _next_version(checkout: Path) -> None:
    _change(checkout, "README.md", "\n", "\n\nFrom the next version.\n")
    (checkout / _tree / "docs").mkdir(exist_ok=True)
    (checkout / _tree / "docs" / "new.md").write_text("# New in {{ cookiecutter.service_name }}\n")
    commit(checkout, "second")


@pytest.mark.parametrize("tagged", [False, True], ids=["commits", "tags"])
def test_an_update_brings_the_templates_change_and_keeps_the_users(
    checkout: Path, tmp_path: Path, *, tagged: bool
) -> None:
    if tagged:
        git("tag", "v0.1.0", folder=checkout)
    service = new(
        tmp_path / "services" / "till", source=str(checkout), answers={"service_name": "till"}
    ).folder
    before = yaml.safe_load((service / ".copier-answers.yml").read_text())
    with (service / "README.md").open("a") as readme:
        readme.write("\nOurs.\n")
    (service / "ours.py").write_text("ours = 1\n")
    commit(service, "ours")
    _next_version(checkout)
    if tagged:
        git("tag", "v0.2.0", folder=checkout)

    run(_copier, "update", "--defaults", folder=service)

    readme_text = (service / "README.md").read_text()
    assert "From the next version." in readme_text
    assert readme_text.endswith("\nOurs.\n")
    assert (service / "ours.py").read_text() == "ours = 1\n"
    assert (service / "docs/new.md").read_text() == "# New in till\n"
    after = yaml.safe_load((service / ".copier-answers.yml").read_text())
    assert after.pop("_commit") == git("describe", "--tags", "--always", folder=checkout).strip()
    assert before.pop("_commit") != after
    assert before == after, "an update leaves every answer as it was"
    assert "<<<<<<<" not in "".join(git("diff", folder=service))


def test_an_untouched_service_is_updated_to_what_a_fresh_one_is(checkout: Path, tmp_path: Path) -> None:
    service = new(tmp_path / "till", source=str(checkout)).folder
    _next_version(checkout)

    run(_copier, "update", "--defaults", folder=service)

    assert tree(service) == tree(new(tmp_path / "fresh", source=str(checkout)).folder)


def test_a_service_of_the_other_engine_is_updated_too(checkout: Path, tmp_path: Path) -> None:
    """What cookiecutter writes as `_commit` is the tag of the release that it rendered."""
    version = json.loads((checkout / "templates/payment-service/cookiecutter.json").read_text())["_commit"]
    git("tag", version, folder=checkout)
    made = cookiecutter(
        checkout, "payment-service", tmp_path / "other", {"platform_source": "../../../paypath"}
    )
    service = repository(made)
    _next_version(checkout)
    git("tag", "v99.0.0", folder=checkout)

    run(_copier, "update", "--defaults", folder=service)

    assert "From the next version." in (service / "README.md").read_text()


def test_a_second_kind_with_a_question_of_its_own_fits_in(checkout: Path, tmp_path: Path) -> None:
    """The layout holds more than one kind: a folder, a choice, and what only that kind asks."""
    other = checkout / "templates" / "till"
    shutil.copytree(checkout / "templates/payment-service", other)
    (other / "questions.yml").write_text("drawers: {type: int, default: 2, when: \"{{ kind == 'till' }}\"}\n")
    (other / "{{cookiecutter.service_name}}" / "drawers").write_text("{{ cookiecutter.drawers }}\n")
    configuration = (checkout / "copier.yml").read_text()
    label = next(line for line in configuration.splitlines() if line.endswith('": payment-service'))
    (checkout / "copier.yml").write_text(
        configuration.replace(label, f'{label}\n    "till: takes cash": till')
    )
    commit(checkout, "a second kind")

    till = copier(checkout, tmp_path / "till", {"kind": "till", "drawers": "3"})
    payments = copier(checkout, tmp_path / "payments", {"kind": "payment-service"})

    assert (till / "drawers").read_text() == "3\n"
    assert not (payments / "drawers").exists()
    assert "drawers" not in (payments / ".copier-answers.yml").read_text()
