"""Plain `copier update` in a generated service, as Renovate runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from paypath.scaffold import new
from paypath.scaffold.git import git
from paypath.template_ci.trees import tree
from tests.templates.engines import commit, cookiecutter, repository, run

_tree = "templates/payment-service/{{cookiecutter.service_name}}"
_changed = "src/{{cookiecutter.package}}/adapters/queries.sql"
_copier = Path(sys.executable).with_name("copier")


def _change(checkout: Path, path: str, old: str, replacement: str) -> None:
    file = checkout / _tree / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, replacement, 1))


def _next_version(checkout: Path) -> None:
    _change(checkout, _changed, "\n", "\n\n# From the next version.\n")
    _change(checkout, "README.md", "\n", "\n\nFor those who begin with the next version.\n")
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
    queries = service / "src/till/adapters/queries.sql"
    with queries.open("a") as file:
        file.write("\n-- Ours.\n")
    seeded = (service / "README.md").read_text()
    (service / "ours.py").write_text("ours = 1\n")
    commit(service, "ours")
    _next_version(checkout)
    if tagged:
        git("tag", "v0.2.0", folder=checkout)

    run(_copier, "update", "--defaults", folder=service)

    assert "# From the next version." in queries.read_text()
    assert queries.read_text().endswith("\n-- Ours.\n")
    assert (service / "README.md").read_text() == seeded, "seeded once, then the team's alone"
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

    fresh = tree(new(tmp_path / "fresh", source=str(checkout)).folder)
    assert b"next version" in fresh.pop("README.md")[1]
    assert {path: entry for path, entry in tree(service).items() if path != "README.md"} == fresh


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

    assert "From the next version." in (service / "src/payments/adapters/queries.sql").read_text()
