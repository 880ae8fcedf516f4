"""Upgrades from what an installed tool carries: the same as from the repository, and never silently stale."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.fleet import (
    Order,
    State,
    apply_fleet,
    fleet_plan,
    read_targets,
    report_document,
    report_page,
    resume_fleet,
)
from paypath.scaffold.git import git
from paypath.scaffold.upgrade import (
    Choices,
    PlanState,
    Severity,
    UnknownVersion,
    Wishes,
    adopt,
    diagnose,
    find_adoption,
    find_service,
    plan_document,
    plan_page,
    resolution_of,
    upgrade_run,
)
from tests.unit.releasing.hook import load_hook
from tests.unit.scaffold.installing import install_at
from tests.unit.scaffold.upgrade.world import World, changed, content, edit, lines

_url = "https://git.example.org/acme/platform.git"
_elsewhere = "https://git.example.org/mirrors/platform.git"
_migrations = """\
- id: names
  why: A service has a name.
  settings: {setting_7: setting_seven}
"""
_quiet = Wishes(test=False)


def _carry(template: Path, archive: Path) -> None:
    """Build the archive that the wheel of *template* would carry."""
    hook = load_hook()
    repository = hook.Repository(template)
    found, _ = repository.releases("1.1.0")
    hook.write(archive, repository, found, "1.1.0")


def _from_url(service: Path, template: Path, url: str = _url) -> Path:
    """Have the answers of *service* name *url*, as a service of an installed tool does."""
    answers = (service / ".copier-answers.yml").read_text()
    assert str(template) in answers
    edit(service, {".copier-answers.yml": answers.replace(str(template), url)})
    return service


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], None]:
    """Git reaches no network; the function that is returned lays a line to the repository."""
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")

    def connect(world: World) -> None:
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{world.template}.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", _url)

    return connect


@pytest.fixture
def services(world: World, cut_off: Callable[[World], None], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two equal services of v1.0.0, whose repository's URL is the tool's; that carries v1.0.0 and v1.1.0."""
    assert callable(cut_off)  # there is no network from here on
    git("remote", "add", "origin", _url, folder=world.template)
    service = _from_url(world.service(), world.template)
    edit(service, {"app.py": "setting_7 = 1\n", "mine.txt": "ours\n"})
    other = world.root / "others" / "shop"
    shutil.copytree(service, other, symlinks=True)
    changelog = "## Unreleased\n\n## 1.1.0\n- a new line\n\n## 1.0.0\n- a till\n"
    world.release(
        "v1.1.0",
        {"README.md": changed(lines, "line 3", "LINE 3"), "bin/run": "#!/bin/sh\n", "docs/guide.md": None},
        {"CHANGELOG.md": changelog, "templates/migrations.yml": _migrations},
    )
    world.release(None, {"README.md": changed(lines, "line 4", "LINE 4")})
    _carry(world.template, install_at(world.root / "site", monkeypatch))
    return [service, other]


def test_it_is_the_upgrade_that_the_repository_makes(
    world: World, services: list[Path], cut_off: Callable[[World], None]
) -> None:
    """Files, answers, changelog, codemods; and the versions have the same digests, so caches are shared."""
    offline, online = services

    carried = world.plan(offline)
    made = world.run.apply(carried, _quiet)
    cut_off(world)
    asked = world.plan(online, Choices(online=True))
    made_online = world.run.apply(asked, _quiet)

    assert (carried.carried_by, asked.carried_by) == ("1.0", None)
    assert carried.changelog == asked.changelog == "## 1.1.0\n- a new line"
    facts = {**plan_document(carried), "carried_by": None, "folder": str(online)}
    assert facts == plan_document(asked)
    trees = [
        git("rev-parse", f"{upgraded.branch}^{{tree}}", folder=service).strip()
        for upgraded, service in ((made, offline), (made_online, online))
    ]
    assert trees[0] == trees[1]
    assert [step.name for step in made.steps] == [step.name for step in made_online.steps]
    answers = git("show", f"{made.branch}:.copier-answers.yml", folder=offline)
    assert f"_src_path: {_url}" in answers
    assert "_commit: v1.1.0" in answers
    digests = [
        world.run.templates.open(place).at(version).digest
        for version in ("v1.0.0", "v1.1.0")
        for place in (_url, str(world.template))
    ]
    assert digests[0] == digests[1]
    assert digests[2] == digests[3]


def test_the_newest_is_the_newest_that_is_carried_until_the_repository_is_asked(
    world: World, services: list[Path], cut_off: Callable[[World], None]
) -> None:
    world.release("v1.2.0", {"new.txt": "newer\n"})
    cut_off(world)

    carried = world.plan(services[0])

    assert (carried.new, carried.carried_by) == ("v1.1.0", "1.0")
    said = "read from what paypath 1.0 carries; --online looks for newer releases"
    assert said in plan_page(carried)
    assert world.plan(services[0], Choices(online=True)).new == "v1.2.0"
    assert world.plan(services[0], Choices(to="v1.2.0")).carried_by is None
    assert world.plan(services[0], Choices(to="1.1.0")).carried_by == "1.0"
    assert world.plan(services[0], Choices(source="git@git.example.org:acme/platform")).carried_by == "1.0"


def test_a_service_that_has_the_newest_carried_is_current_as_far_as_this_tool_knows(
    world: World, services: list[Path]
) -> None:
    made = world.run.apply(world.plan(services[0]), _quiet)
    git("merge", "--quiet", "--ff-only", made.branch, folder=services[0])

    plan = world.plan(services[0])

    assert (plan.state, plan.carried_by) == (PlanState.CURRENT, "1.0")


def test_what_is_not_carried_is_asked_for_and_without_a_network_the_way_out_is_said(
    world: World, services: list[Path], cut_off: Callable[[World], None]
) -> None:
    """A version between two releases, one that is newer than the tool, and another repository."""
    between = git("describe", "--tags", folder=world.template).strip()
    answers = (services[0] / ".copier-answers.yml").read_text()
    edit(services[0], {".copier-answers.yml": changed(answers, "v1.0.0", between)})

    with pytest.raises(
        UnknownVersion,
        match=f"without a network name a clone: this paypath carries v1.0.0, v1.1.0, and not {between}$",
    ):
        world.plan(services[0])
    with pytest.raises(UnknownVersion, match=r"carries v1\.0\.0, v1\.1\.0, and not v3$"):
        world.plan(services[1], Choices(to="v3"))
    with pytest.raises(UnknownVersion, match="and not v3; leave it out, or name a clone"):
        world.plan(services[1], Choices(to="v3", online=False))
    assert world.plan(services[0], Choices(source=str(world.template), to="HEAD")).carried_by is None
    cut_off(world)
    assert world.plan(services[0], Choices(to="main")).old == between


def test_another_repository_is_asked_itself_unless_one_says_offline(
    world: World, services: list[Path]
) -> None:
    answers = (services[0] / ".copier-answers.yml").read_text()
    edit(services[0], {".copier-answers.yml": answers.replace(_url, _elsewhere)})

    with pytest.raises(
        UnknownVersion, match="if this paypath is of the same template, --offline reads the releases"
    ):
        world.plan(services[0])
    plan = world.plan(services[0], Choices(online=False))

    assert (plan.new, plan.carried_by) == ("v1.1.0", "1.0")
    assert f"_src_path: {_elsewhere}" in content(plan, ".copier-answers.yml")


def test_a_tool_that_does_not_know_its_url_can_be_told_to_read_what_it_carries(
    world: World, services: list[Path]
) -> None:
    git("remote", "remove", "origin", folder=world.template)
    _carry(world.template, world.root / "site/released.tar.xz")

    with pytest.raises(UnknownVersion, match="--offline reads"):
        world.plan(services[0])
    assert world.plan(services[0], Choices(online=False)).carried_by == "1.0"


def test_a_checkout_carries_nothing_to_read_offline(world: World) -> None:
    with pytest.raises(UnknownVersion, match="--offline: this paypath carries no releases, as no checkout"):
        world.plan(world.service(), Choices(online=False))


def test_a_damaged_archive_is_told(world: World, services: list[Path]) -> None:
    archive = world.root / "site/released.tar.xz"
    archive.write_bytes(archive.read_bytes()[:-60])

    with pytest.raises(ScaffoldError, match=r"released\.tar\.xz: cannot be read .*; install paypath again"):
        world.plan(services[0])


def test_another_archive_is_another_copy(world: World, services: list[Path], cache: Path) -> None:
    assert world.plan(services[0]).new == "v1.1.0"
    world.release("v1.2.0", {"new.txt": "newer\n"})
    _carry(world.template, world.root / "site/released.tar.xz")

    with upgrade_run(cache) as run:
        assert run.plan(services[0]).new == "v1.2.0"


def test_a_resolution_goes_on_with_what_it_was_begun_with(world: World, services: list[Path]) -> None:
    readme = (services[0] / "README.md").read_text()
    edit(services[0], {"README.md": changed(readme, "line 3", "our line 3")})
    answers = (services[0] / ".copier-answers.yml").read_text()
    edit(services[0], {".copier-answers.yml": answers.replace(_url, _elsewhere)})
    choices = Choices(online=False)
    resolution = world.run.resolve(world.plan(services[0], choices), choices)
    (resolution.folder / "README.md").write_text("decided\n")

    service = find_service(services[0])
    assert resolution_of(service) == resolution
    made = world.run.continue_resolution(service, _quiet)

    assert git("show", f"{made.branch}:README.md", folder=services[0]) == "decided\n"


def test_doctor_looks_without_a_network_and_says_what_it_looked_at(
    world: World, services: list[Path]
) -> None:
    found = {finding.id: finding for finding in diagnose(world.run, find_service(services[0]))}

    assert found["carried"].severity is Severity.NOTE
    assert found["carried"].what == f"{_url}: not asked; this paypath carries the template up to v1.1.0"
    assert found["carried"].mend == "say --online to look for newer releases"
    assert "next" not in found
    online = {finding.id for finding in diagnose(world.run, find_service(services[0]), online=True)}
    assert "source-unreachable" in online
    assert "carried" not in online


def test_a_service_is_adopted_without_a_network(world: World, services: list[Path]) -> None:
    git("rm", "--quiet", ".copier-answers.yml", folder=services[0])
    edit(services[0], {})

    found = find_adoption(world.run, find_service(services[0]), _url)
    adopt(found)

    assert (found.best.version, found.carried_by) == ("v1.0.0", "1.0")
    assert f"_src_path: {_url}" in git("show", "paypath/adopt:.copier-answers.yml", folder=services[0])


def test_a_version_that_cruft_names_and_nobody_carries_is_asked_for(
    world: World, services: list[Path], cut_off: Callable[[World], None]
) -> None:
    """But who says --offline gets the nearest of what is carried."""
    between = git("rev-parse", "main", folder=world.template).strip()
    git("rm", "--quiet", ".copier-answers.yml", folder=services[0])
    edit(services[0], {".cruft.json": f'{{"template": "{_url}", "commit": "{between}"}}'})
    service = find_service(services[0])

    with pytest.raises(UnknownVersion, match=f"carries v1.0.0, v1.1.0, and not {between}$"):
        find_adoption(world.run, service, _url)
    nearest = find_adoption(world.run, service, _url, online=False)
    cut_off(world)
    found = find_adoption(world.run, service, _url)

    assert (nearest.best.version, nearest.carried_by) == ("v1.0.0", "1.0")
    assert found.carried_by is None
    assert any(each.version.endswith(between[:7]) for each in found.others)


def test_a_fleet_is_upgraded_without_a_network_and_reads_one_copy_to_its_end(
    world: World, services: list[Path], tmp_path: Path
) -> None:
    """A newer tool that goes on with the run reads what the first one carried."""
    targets = read_targets(map(str, services))
    with ThreadPoolExecutor(1) as executor:
        [forecast, _] = fleet_plan(targets, executor)
        first = apply_fleet(tmp_path / "run", targets[:1], executor, Order(tests=False))
    assert (forecast.state, forecast.new, forecast.carried_by) == (State.READY, "v1.1.0", "1.0")
    assert first.outcomes[1].state is State.UPGRADED
    assert first.outcomes[1].carried_by == "1.0"
    assert "read from what paypath 1.0 carries" in report_page(report_document(first.folder))

    world.release("v1.2.0", {"new.txt": "newer\n"})
    _carry(world.template, world.root / "site/released.tar.xz")
    with upgrade_run(tmp_path / "cache", mirrors=tmp_path / "run/mirrors") as run:
        assert run.plan(services[1]).new == "v1.1.0"


def test_a_fleet_that_is_to_ask_the_repository_says_so_in_its_journal(
    services: list[Path], tmp_path: Path
) -> None:
    targets = read_targets([str(services[0])])
    with ThreadPoolExecutor(1) as executor:
        journal = apply_fleet(tmp_path / "run", targets, executor, Order(tests=False, online=True))
        again = resume_fleet(tmp_path / "run", executor, given={"online": True})

    assert "the template cannot be read from there" in journal.outcomes[1].message
    assert again.order.online is True
