"""A service that knows no template is brought in: by the version and the answers that it is nearest to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from paypath.scaffold.git import git
from paypath.scaffold.upgrade import (
    Adoption,
    NoService,
    PlanState,
    UpgradeError,
    adopt,
    find_adoption,
    find_service,
)
from tests.unit.scaffold.upgrade.world import World, changed, edit, lines, settings


@pytest.fixture
def service(world: World) -> Path:
    """Made from v1.1.0 of three versions, then worked on, and nobody knows."""
    world.release("v1.1.0", {"README.md": changed(lines, "line 3", "LINE 3"), "new.txt": "new\n"})
    service = world.service("corner", ref="v1.1.0")
    world.release("v1.2.0", {"settings.py": changed(settings, "setting_15 = 15", "setting_15 = 1515")})
    edit(service, {".copier-answers.yml": None, "app.py": "ours = 1\n", "ours.py": "ours = 2\n"})
    return service


def _find(world: World, service: Path, **given: str) -> Adoption:
    return find_adoption(world.run, find_service(service), str(world.template), given=given)


def test_the_nearest_version_is_found_with_its_answers(world: World, service: Path) -> None:
    found = _find(world, service)

    assert found.made_by == "unknown"
    assert found.best.version == "v1.1.0"
    assert found.best.answers["service_name"] == "corner"
    assert found.best.distance.changed == ("app.py",)
    assert found.best.distance.missing == ()
    assert 0.6 < found.best.distance.share < 1
    assert {each.version for each in found.others} == {"v1.0.0", "v1.2.0"}
    assert all(each.distance.lines > found.best.distance.lines for each in found.others)
    assert yaml.safe_load(found.answers_text)["_commit"] == "v1.1.0"


def test_an_adopted_service_is_upgraded_like_any_other(world: World, service: Path) -> None:
    before = git("status", "--porcelain", folder=service)

    commit = adopt(_find(world, service))

    assert git("status", "--porcelain", folder=service) == before
    assert git("rev-parse", "paypath/adopt", folder=service).strip() == commit
    git("merge", "--quiet", "paypath/adopt", folder=service)
    plan = world.plan(service)
    assert (plan.old, plan.new, plan.state) == ("v1.1.0", "v1.2.0", PlanState.READY)
    with pytest.raises(UpgradeError, match="paypath/adopt: the branch is there already"):
        adopt(_found_again(world, service))


def _found_again(world: World, service: Path) -> Adoption:
    edit(service, {".copier-answers.yml": None})
    return _find(world, service)


def test_cruft_names_the_version_and_the_answers_and_goes(world: World, service: Path) -> None:
    cruft = {
        "template": str(world.template),
        "commit": git("rev-parse", "v1.1.0", folder=world.template).strip(),
        "context": {"cookiecutter": {"service_name": "corner", "currency": "GBP", "_template": "x"}},
        "directory": "templates/till",
    }
    edit(service, {".cruft.json": json.dumps(cruft), "currency.txt": "GBP\n"})

    found = _find(world, service)
    adopt(found)

    assert found.made_by == "cruft"
    assert found.best.answers["currency"] == "GBP"
    listed = git("ls-tree", "--name-only", "paypath/adopt", folder=service).split()
    assert ".copier-answers.yml" in listed
    assert ".cruft.json" not in listed


def test_answers_that_are_known_can_be_given(world: World, service: Path) -> None:
    edit(service, {"currency.txt": "USD\n"})

    assert _find(world, service, currency="USD").best.distance.changed == ("app.py",)


def test_answers_that_name_a_moving_version_are_found_anew(world: World) -> None:
    service = world.service(currency="GBP")
    stored = (service / ".copier-answers.yml").read_text()
    edit(service, {".copier-answers.yml": changed(stored, "_commit: v1.0.0", "_commit: HEAD")})

    found = _find(world, service)

    assert (found.made_by, found.best.version, found.best.distance.lines) == ("answers", "v1.0.0", 0)
    assert found.best.answers["currency"] == "GBP"


def test_a_service_that_knows_its_template_is_left(world: World) -> None:
    with pytest.raises(
        NoService, match=r"^shop: knows its template already, v1\.0\.0; see `paypath upgrade --plan`"
    ):
        _find(world, world.service())
