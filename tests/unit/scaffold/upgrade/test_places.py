"""Wherever a service lies: dirty, bare, shallow, linked, or one of many in a repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from paypath.scaffold import ScaffoldError
from paypath.scaffold._record import Release, record_file, tagged, template_hash, write_record
from paypath.scaffold.git import git
from paypath.scaffold.upgrade import (
    Choices,
    FileClass,
    NoService,
    PlanState,
    UpgradeError,
    Wishes,
    find_service,
    upgrade_run,
)
from tests.unit.scaffold.upgrade.test_applying import branch, shown, state
from tests.unit.scaffold.upgrade.world import World, changed, commit, edit, file, settings, write

quiet = Wishes(test=False)
_git = shutil.which("git")


@pytest.fixture
def service(world: World) -> Path:
    """A service with an edit of its team, and a newer version of its template."""
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 55")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_15 = 15", "setting_15 = 1515")})
    return service


def _is_upgraded(folder: Path, path: str = "settings.py", at: str = branch) -> bool:
    text = shown(folder, path, at)
    return "setting_5 = 55" in text and "setting_15 = 1515" in text


def test_a_bare_clone_is_planned_and_upgraded(world: World, service: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--bare", str(service), str(tmp_path / "bare.git"), folder=tmp_path)
    bare = find_service(tmp_path / "bare.git")

    plan = world.plan(tmp_path / "bare.git", Choices(source=str(world.template)))
    world.run.apply(plan, quiet)

    assert (bare.top, bare.name) == (None, "bare")
    assert file(plan, "settings.py").file_class is FileClass.MERGED
    assert _is_upgraded(tmp_path / "bare.git")


def test_a_shallow_clone_is_upgraded(world: World, service: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--depth", "1", f"file://{service}", str(tmp_path / "shallow"), folder=tmp_path)

    world.run.apply(world.plan(tmp_path / "shallow", Choices(source=str(world.template))), quiet)

    assert _is_upgraded(tmp_path / "shallow")
    assert git("fsck", "--connectivity-only", folder=tmp_path / "shallow") is not None


def test_a_linked_work_tree_is_upgraded_at_its_own_commit(world: World, service: Path) -> None:
    linked = service.with_name("linked")
    git("worktree", "add", "--quiet", "-b", "side", str(linked), folder=service)
    edit(linked, {"side.txt": "side\n"})

    world.run.apply(world.plan(linked), quiet)

    assert _is_upgraded(service)
    assert shown(service, "side.txt") == "side\n"


def test_one_of_many_services_is_upgraded_and_the_others_are_left(world: World, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    (whole / "services").mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", folder=whole)
    for name in ("one", "two"):
        world.service(name).rename(whole / "services" / name)
        git("rev-parse", folder=whole)
        for path in [whole / "services" / name / ".git"]:
            os.rename(path, tmp_path / f"{name}.git")  # noqa: PTH104  # a folder that is not ours to keep
    commit(whole, "Both")
    edit(whole, {"services/one/settings.py": changed(settings, "setting_5 = 5", "setting_5 = 55")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_15 = 15", "setting_15 = 1515")})
    write(whole, {"services/two/README.md": "dirty\n"})

    one = find_service(whole / "services/one")
    done = [world.run.apply(world.plan(whole / "services" / name), quiet) for name in ("one", "two")]

    assert (one.prefix, one.name) == ("services/one/", "one")
    assert [each.branch for each in done] == [
        "paypath/upgrade-services-one-v1.1.0",
        "paypath/upgrade-services-two-v1.1.0",
    ]
    assert _is_upgraded(whole, "services/one/settings.py", done[0].branch)
    changed_files = git("diff", "--name-only", "main", done[0].branch, folder=whole).split()
    assert changed_files == ["services/one/.copier-answers.yml", "services/one/settings.py"]
    undone = world.run.undo(find_service(whole / "services/two"))
    assert undone.branch == done[1].branch


def test_a_service_of_a_bare_clone_of_many_is_named_by_its_path(world: World, tmp_path: Path) -> None:
    service = world.service()
    whole = tmp_path / "whole"
    (whole / "services").mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", folder=whole)
    service.rename(whole / "services" / "shop")
    (whole / "services/shop/.git").rename(tmp_path / "own.git")
    commit(whole, "All")
    git("clone", "--quiet", "--bare", str(whole), str(tmp_path / "bare.git"), folder=tmp_path)
    world.release("v1.1.0", {"new.txt": "new\n"})

    found = find_service(tmp_path / "bare.git", within="services/shop")

    assert found.name == "shop"
    assert world.plan_of(found, Choices(source=str(world.template))).state is PlanState.READY


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "it is not in a git repository"),
        (
            lambda folder: git("init", "--quiet", str(folder), folder=folder.parent),
            "its repository has no commit",
        ),
    ],
)
def test_what_is_no_service_is_told(tmp_path: Path, make: object, message: str) -> None:
    assert callable(make)
    make(tmp_path / "it")

    with pytest.raises(NoService, match=message):
        find_service(tmp_path / "it")


def test_a_service_without_an_answers_file_is_sent_to_adopt(world: World) -> None:
    service = world.service()
    edit(service, {".copier-answers.yml": None})

    with pytest.raises(NoService, match=r"nobody knows its template; bring it in with `paypath adopt`$"):
        world.plan(service)


def test_a_template_behind_a_url_is_read_once_for_all_services(world: World, service: Path) -> None:
    url = f"file://{world.template}/.git"
    other = world.service("other")
    source = world.run.templates.open(url)

    assert world.run.templates.open(url) is source
    for folder in (service, other):
        assert world.plan(folder, Choices(source=url)).new == "v1.1.0"


def test_a_template_without_its_tags_is_upgraded_by_its_record(world: World, service: Path) -> None:
    """A clone may come without tags; the repository itself says which commit each release was."""
    releases = [
        Release(
            version=version, commit=released, template_hash=template_hash(world.template, released), date="-"
        )
        for version, released in tagged(world.template).items()
    ]
    write(world.template, {record_file: write_record(releases)})
    commit(world.template, "Record the releases", "--force")
    for release in releases:
        git("tag", "--delete", release.tag, folder=world.template)

    plan = world.plan(service)
    world.run.apply(plan, quiet)

    assert (plan.old, plan.new) == ("v1.0.0", "v1.1.0")
    assert _is_upgraded(service)


@pytest.mark.parametrize("form", ["--no-checkout", "--bare"])
def test_a_partial_clone_is_upgraded_and_tested_with_files_that_it_fetches(
    world: World, service: Path, tmp_path: Path, form: str
) -> None:
    edit(service, {"mine.txt": "of our team\n"})
    git("config", "uploadpack.allowFilter", "true", folder=service)
    git(
        *("clone", "--quiet", form, "--filter=blob:none", f"file://{service}", str(tmp_path / "partial")),
        folder=tmp_path,
    )

    plan = world.plan(tmp_path / "partial", Choices(source=str(world.template)))
    made = world.run.apply(plan, Wishes(test_command="grep -q 'our team' mine.txt"))

    assert [suite.passed for suite in made.tests] == [True, True]
    assert _is_upgraded(tmp_path / "partial")
    git("fsck", "--connectivity-only", folder=tmp_path / "partial")


def test_a_partial_clone_whose_remote_is_gone_is_refused(world: World, service: Path, tmp_path: Path) -> None:
    git("config", "uploadpack.allowFilter", "true", folder=service)
    git(
        *("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{service}", str(tmp_path / "partial")),
        folder=tmp_path,
    )
    service.rename(tmp_path / "gone")
    before = git("for-each-ref", folder=tmp_path / "partial")

    with pytest.raises(
        ScaffoldError,
        match="this is a partial clone, and files that it lacks cannot be fetched from",
    ):
        world.plan(tmp_path / "partial", Choices(source=str(world.template)))

    assert git("for-each-ref", folder=tmp_path / "partial") == before


def _say_version(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a git come first on PATH that says that it is of *version*; everything else is the real one's."""
    script = f'#!/bin/sh\n[ "$1" = version ] && echo "git version {version}" && exit\nexec {_git} "$@"\n'
    write(tmp_path / "bin", {"git": script})
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)


@pytest.mark.parametrize("version", ["2.37.9", "2.37.9 (Apple Git-136)"])
def test_a_git_that_cannot_merge_trees_is_refused(
    service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _say_version(version, tmp_path, monkeypatch)
    before = state(service)

    with (
        pytest.raises(UpgradeError, match=r"^git: 2\.37\.9 cannot merge trees; install git 2\.38 or newer$"),
        upgrade_run(tmp_path / "cache") as run,
    ):
        run.plan(service)

    assert state(service) == before


@pytest.mark.parametrize("version", ["2.38.0", "2.39.5 (Apple Git-154)", "3.0.0"])
def test_a_git_of_any_later_version_will_do(
    service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _say_version(version, tmp_path, monkeypatch)

    with upgrade_run(tmp_path / "cache") as run:
        assert run.plan(service).state is PlanState.READY
