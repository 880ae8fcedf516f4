"""An untouched service: our upgrade, plain `copier update` and a fresh copy give the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold import new
from paypath.scaffold.git import git
from paypath.scaffold.upgrade import FileClass, PlanState, Wishes, upgrade_run
from tests.templates.matrix import root
from tests.templates.engines import commit, cookiecutter, copier, repository, run, tree
from tests.templates.upgrade.test_beside_copier import by_copier, copier_update

_kinds = sorted(path.parent.name for path in root.glob("templates/*/cookiecutter.json"))


def _next_release(checkout: Path, kind: str) -> None:
    """Change, add and delete a file of *kind*, and release it with a higher version.

    None of them is seeded: those are the team's from the first day, so a fresh service has other ones.
    """
    rendered = checkout / "templates" / kind / "{{cookiecutter.service_name}}"
    ports = rendered / "src/{{cookiecutter.package}}/ports.py"
    ports.write_text(ports.read_text().replace("\n", "\n\n# From the next version.\n", 1))
    (rendered / "docs/new.md").write_text("# New in {{ cookiecutter.service_name }}\n")
    (rendered / ".dockerignore").unlink()
    for file in (checkout / "copier.yml", checkout / "templates" / kind / "cookiecutter.json"):
        file.write_text(file.read_text().replace("v0.1.0", "v0.2.0"))
    commit(checkout, "second")
    git("tag", "v0.2.0", folder=checkout)


def _branch(service: Path, branch: str) -> Path:
    folder = service.with_name(f"{service.name}-by-us")
    git("clone", "--quiet", "--branch", branch, str(service), str(folder), folder=service.parent)
    return folder


@pytest.mark.parametrize("kind", _kinds)
def test_our_upgrade_is_what_copier_makes_and_what_a_fresh_service_is(
    checkout: Path, tmp_path: Path, kind: str
) -> None:
    git("tag", "v0.1.0", folder=checkout)
    services = tmp_path / "services"
    answers = {"service_name": "card-till", "title": "Händler & Co."}
    service = new(services / "till", kind=kind, source=str(checkout), ref="v0.1.0", answers=answers).folder
    _next_release(checkout, kind)

    with upgrade_run(tmp_path / "cache") as upgrades:
        plan = upgrades.plan(service)
        made = upgrades.apply(plan, Wishes(test=False))
    assert copier_update(service) == 0
    fresh = copier(checkout, services / "fresh", {"kind": kind, **answers}, "--vcs-ref", "v0.2.0")

    assert plan.state is PlanState.READY
    assert {change.file_class for change in plan.files} == {FileClass.UNCHANGED, FileClass.TEMPLATE_ONLY}
    assert tree(_branch(service, made.branch)) == tree(by_copier(service)) == tree(fresh)


@pytest.mark.parametrize("kind", _kinds)
def test_a_service_that_cookiecutter_made_is_upgraded_like_any_other(
    checkout: Path, tmp_path: Path, kind: str
) -> None:
    git("tag", "v0.1.0", folder=checkout)
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


@pytest.mark.parametrize("kind", _kinds)
def test_the_renderer_that_upgrades_use_gives_what_plain_copier_gives(
    checkout: Path, tmp_path: Path, kind: str
) -> None:
    """Sharing a template between renders, and compiling names once, changes no byte of this or the next."""
    git("tag", "v0.1.0", folder=checkout)
    with upgrade_run(tmp_path / "cache") as upgrades:
        version = upgrades.templates.open(str(checkout)).at("v0.1.0")
        for name in ("till", "card-payments"):
            answers = {"kind": kind, "service_name": name, "platform_source": "../paypath"}
            plain = copier(checkout, tmp_path / name, answers, "--vcs-ref", "v0.1.0")
            into = tmp_path / f"our-{name}"
            ours = upgrades.renders.lay_out(
                version, answers, label="v0.1.0", source="../paypath", into=into
            )

            assert tree(ours) == tree(plain)
