"""An untouched service: our upgrade, plain `copier update` and a fresh copy give the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paypath.scaffold import new
from paypath.scaffold._record import Release, recorded, released_commit
from paypath.scaffold.git import git
from paypath.scaffold.ownership import ownership
from paypath.scaffold.sources import snapshot
from paypath.scaffold.upgrade import FileClass, PlanState, Wishes, upgrade_run
from paypath.template_ci.trees import tree
from tests.history import is_shallow, needs_history
from tests.templates.engines import commit, cookiecutter, copier, repository, run
from tests.templates.matrix import kinds, root
from tests.templates.upgrade.test_beside_copier import by_copier, copier_update
from tests.templates.versions import raise_version, written_version


def _next_release(checkout: Path, kind: str) -> str:
    """Change, add and delete a file of *kind*, and release it with a higher version.

    None of them is seeded: those are the team's from the first day, so a fresh service has other ones.
    """
    rendered = checkout / "templates" / kind / "{{cookiecutter.service_name}}"
    ports = rendered / "src/{{cookiecutter.package}}/ports.py"
    ports.write_text(ports.read_text().replace("\n", "\n\n# From the next version.\n", 1))
    (rendered / "docs/new.md").write_text("# New in {{ cookiecutter.service_name }}\n")
    (rendered / ".dockerignore").unlink()
    higher = raise_version(checkout)
    commit(checkout, "second")
    git("tag", higher, folder=checkout)
    return higher


def _branch(service: Path, branch: str) -> Path:
    folder = service.with_name(f"{service.name}-by-us")
    git("clone", "--quiet", "--branch", branch, str(service), str(folder), folder=service.parent)
    return folder


@pytest.mark.parametrize("kind", kinds)
def test_our_upgrade_is_what_copier_makes_and_what_a_fresh_service_is(
    checkout: Path, tmp_path: Path, kind: str
) -> None:
    first = written_version(checkout)
    git("tag", first, folder=checkout)
    services = tmp_path / "services"
    answers = {"service_name": "card-till", "title": "Händler & Co."}
    service = new(services / "till", kind=kind, source=str(checkout), ref=first, answers=answers).folder
    higher = _next_release(checkout, kind)

    with upgrade_run(tmp_path / "cache") as upgrades:
        plan = upgrades.plan(service)
        made = upgrades.apply(plan, Wishes(test=False))
    assert copier_update(service) == 0
    fresh = copier(checkout, services / "fresh", {"kind": kind, **answers}, "--vcs-ref", higher)

    assert plan.state is PlanState.READY
    assert {change.file_class for change in plan.files} == {FileClass.UNCHANGED, FileClass.TEMPLATE_ONLY}
    assert tree(_branch(service, made.branch)) == tree(by_copier(service)) == tree(fresh)


_releases = [] if is_shallow else recorded(root)
_released_kinds = [
    (release, kind)
    for release in _releases
    for kind in kinds
    if git("ls-tree", release.commit, "--", f"templates/{kind}/cookiecutter.json", folder=root)
]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository: every recorded release under its tag, and what stands here now as the next one."""
    folder = tmp_path_factory.mktemp("history") / "paypath"
    git("clone", "--quiet", "--no-tags", str(root), str(folder), folder=root)
    for release in _releases:
        git("tag", release.tag, released_commit(folder, release), folder=folder)
    (folder / "copier.yml").unlink()
    shutil.rmtree(folder / "templates")
    snapshot(root, folder)
    higher = raise_version(folder)
    commit(folder, "What stands now")
    git("tag", higher, folder=folder)
    return folder


@needs_history
@pytest.mark.parametrize(
    ("release", "kind"), _released_kinds, ids=[f"{kind} {release.tag}" for release, kind in _released_kinds]
)
def test_a_service_of_each_release_becomes_what_stands_now_but_for_its_seeded_files(
    history: Path, tmp_path: Path, release: Release, kind: str
) -> None:
    services = tmp_path / "services"
    answers = {"service_name": "card-till", "title": "Händler & Co."}
    service = new(services / "till", kind=kind, source=str(history), ref=release.tag, answers=answers).folder
    before = tree(service)

    with upgrade_run(tmp_path / "cache") as upgrades:
        plan = upgrades.plan(service)
        made = upgrades.apply(plan, Wishes(test=False))
    assert copier_update(service) == 0
    fresh = copier(
        history, services / "fresh", {"kind": kind, **answers}, "--vcs-ref", written_version(history)
    )

    seeded = {path for path, owner in ownership(fresh).items() if owner == "seeded"}
    wanted = {**tree(fresh), **{path: was for path, was in before.items() if path in seeded}}
    assert plan.state is PlanState.READY
    assert tree(_branch(service, made.branch)) == tree(by_copier(service)) == wanted


@pytest.mark.parametrize("kind", kinds)
def test_a_service_that_cookiecutter_made_is_upgraded_like_any_other(
    checkout: Path, tmp_path: Path, kind: str
) -> None:
    git("tag", written_version(checkout), folder=checkout)
    service = repository(
        cookiecutter(checkout, kind, tmp_path / "other", {"platform_source": "../../../paypath"})
    )
    _next_release(checkout, kind)

    with upgrade_run(tmp_path / "cache") as upgrades:
        plan = upgrades.plan(service)
        made = upgrades.apply(plan, Wishes(test=False))

    assert {change.file_class for change in plan.files} == {FileClass.UNCHANGED, FileClass.TEMPLATE_ONLY}
    [package] = (service / "src").iterdir()
    changed = git("show", f"{made.branch}:src/{package.name}/ports.py", folder=service)
    assert "From the next version." in changed
    run("git", "fsck", folder=service)


@pytest.mark.parametrize("kind", kinds)
def test_the_renderer_that_upgrades_use_gives_what_plain_copier_gives(
    checkout: Path, tmp_path: Path, kind: str
) -> None:
    """Sharing a template between renders, and compiling names once, changes no byte of this or the next."""
    first = written_version(checkout)
    git("tag", first, folder=checkout)
    with upgrade_run(tmp_path / "cache") as upgrades:
        version = upgrades.templates.open(str(checkout)).at(first)
        for name in ("till", "card-payments"):
            answers = {"kind": kind, "service_name": name, "platform_source": "../paypath"}
            plain = copier(checkout, tmp_path / name, answers, "--vcs-ref", first)
            into = tmp_path / f"our-{name}"
            ours = upgrades.renders.lay_out(version, answers, label=first, source="../paypath", into=into)

            assert tree(ours) == tree(plain)
