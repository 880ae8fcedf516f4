"""Each case in which plain `copier update` loses work or says nothing, with our result beside it.

The copier half is no wish: it holds what copier 9.19 does, so that a copier that mends a case is noticed
here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from paypath.scaffold.git import git
from paypath.scaffold.upgrade import (
    AnswersNeeded,
    FileClass,
    PlanState,
    UnknownVersion,
    UpgradeError,
    Wishes,
    upgrade_run,
)
from tests.unit.scaffold.upgrade.test_applying import state
from tests.unit.scaffold.upgrade.world import (
    World,
    changed,
    configuration,
    content,
    edit,
    file,
    paths,
    settings,
    tree,
    write,
)

_copier = Path(sys.executable).with_name("copier")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with upgrade_run(tmp_path / "cache") as run:
        yield World(tmp_path, run)


def copier_update(service: Path) -> int:
    """Run plain `copier update` on a copy of *service* beside it, as Renovate does; return its exit code."""
    beside = service.with_name(f"{service.name}-by-copier")
    git("clone", "--quiet", str(service), str(beside), folder=service.parent)
    for ignored in (".env",):
        if (service / ignored).exists():
            (beside / ignored).write_bytes((service / ignored).read_bytes())
    done = subprocess.run(
        [str(_copier), "update", "--quiet", "--defaults"],
        cwd=beside,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode


def by_copier(service: Path) -> Path:
    return service.with_name(f"{service.name}-by-copier")


ours = changed(settings, "setting_5 = 5", "setting_5 = 'ours'")
theirs = changed(settings, "setting_5 = 5", "setting_5 = 'theirs'")
fixed = changed(settings, "setting_15 = 15", "setting_15 = 'fixed'")


def test_the_template_renames_a_file_that_the_team_edited(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": ours})
    world.rename("settings.py", "configuration.py")
    world.release("v1.1.0")

    assert copier_update(service) == 0
    assert not (by_copier(service) / "settings.py").exists()
    assert "ours" not in (by_copier(service) / "configuration.py").read_text(), "copier loses the edit"

    plan = world.plan(service)
    assert plan.state is PlanState.READY
    assert content(plan, "configuration.py") == ours


def test_the_template_deletes_a_file_that_the_team_edited(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": ours})
    world.release("v1.1.0", {"settings.py": None})

    assert copier_update(service) == 0
    assert not (by_copier(service) / "settings.py").exists(), "copier deletes the edit"

    plan = world.plan(service)
    assert file(plan, "settings.py").open
    assert content(plan, "settings.py") == ours


def test_the_team_moved_a_file_that_the_template_fixes(world: World) -> None:
    service = world.service()
    git("mv", "settings.py", "ours.py", folder=service)
    edit(service, {})
    world.release("v1.1.0", {"settings.py": fixed})

    assert copier_update(service) == 0
    assert (by_copier(service) / "ours.py").read_text() == settings, "copier leaves the fix out"

    assert content(world.plan(service), "ours.py") == fixed


def test_both_changed_the_same_line(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": ours})
    world.release("v1.1.0", {"settings.py": theirs})

    assert copier_update(service) == 0, "copier says all is well"
    assert git("status", "--porcelain", "settings.py", folder=by_copier(service)).startswith("UU")

    plan = world.plan(service)
    assert plan.state is PlanState.CONFLICTS
    with pytest.raises(UpgradeError):
        world.run.apply(plan, Wishes(test=False))


def test_both_changed_lines_that_are_near(world: World) -> None:
    service = world.service()
    near = changed(settings, "setting_7 = 7", "setting_7 = 'theirs'")
    edit(service, {"settings.py": ours})
    world.release("v1.1.0", {"settings.py": near})

    assert copier_update(service) == 0
    assert content(world.plan(service), "settings.py") == (by_copier(service) / "settings.py").read_text()


def test_both_added_the_same_path(world: World) -> None:
    service = world.service()
    edit(service, {"added.txt": "ours\n"})
    world.release("v1.1.0", {"added.txt": "theirs\n"})

    assert copier_update(service) == 0, "copier says all is well"

    assert [change.path for change in world.plan(service).open] == ["added.txt"]


def test_the_template_adds_a_path_that_lies_there_ignored(world: World) -> None:
    service = world.service()
    write(service, {".env": "SECRET=local\n"})
    world.release("v1.1.0", {".env": "SECRET=template\n"})

    assert copier_update(service) == 0
    assert (by_copier(service) / ".env").read_text() == "SECRET=template\n", "copier overwrites the secret"

    plan = world.plan(service)
    assert file(plan, ".env").file_class is FileClass.IN_THE_WAY
    assert ".env" not in paths(plan)
    assert (service / ".env").read_text() == "SECRET=local\n"


def test_the_team_deleted_a_file_that_the_template_changes(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": None})
    world.release("v1.1.0", {"settings.py": fixed, "new.txt": "new\n"})

    assert copier_update(service) == 0
    assert not (by_copier(service) / "settings.py").exists()

    assert "settings.py" not in paths(world.plan(service))


def test_the_new_version_has_a_syntax_error(world: World) -> None:
    service = world.service()
    world.release("v1.1.0", {"README.md": "all new\n", "settings.py": "{% if %}\n"})
    before = state(service)

    assert copier_update(service) == 1
    assert git("status", "--porcelain", folder=by_copier(service)), "copier leaves the service half updated"

    with pytest.raises(UpgradeError, match=r"template v1\.1\.0: cannot be rendered; Expected an expression"):
        world.plan(service)
    assert state(service) == before


def test_a_choice_is_gone(world: World) -> None:
    service = world.service(currency="GBP")
    fewer = changed(configuration, "[EUR, GBP, USD]", "[EUR, USD]")
    world.release("v1.1.0", {"new.txt": "new\n"}, {"copier.yml": fewer})

    assert copier_update(service) == 0
    assert (by_copier(service) / "currency.txt").read_text() == "EUR\n", "copier changes the currency"

    with pytest.raises(AnswersNeeded, match=r"^currency: "):
        world.plan(service)


def test_a_question_is_renamed(world: World) -> None:
    service = world.service(currency="GBP")
    world.release(
        "v1.1.0",
        {"currency.txt": "{{ cookiecutter.money }}\n"},
        {"copier.yml": changed(configuration, "currency:\n", "money:\n")},
    )

    assert copier_update(service) == 0
    assert (by_copier(service) / "currency.txt").read_text() == "EUR\n", "copier forgets the answer"

    with pytest.raises(AnswersNeeded, match=r"^currency: "):
        world.plan(service)


def test_the_answers_file_lacks_an_answer(world: World) -> None:
    service = world.service(service_name="corner")
    stored = yaml.safe_load((service / ".copier-answers.yml").read_text())
    del stored["service_name"]
    edit(service, {".copier-answers.yml": yaml.safe_dump(stored)})
    world.release("v1.1.0", {"new.txt": "new {{ cookiecutter.service_name }}\n"})

    assert copier_update(service) == 0
    assert (by_copier(service) / "new.txt").read_text() == "new shop\n", "copier takes another's name"

    with pytest.raises(AnswersNeeded, match=r"^service_name: "):
        world.plan(service)


def test_the_answers_file_names_head(world: World) -> None:
    service = world.service()
    stored = (service / ".copier-answers.yml").read_text()
    edit(service, {".copier-answers.yml": changed(stored, "_commit: v1.0.0", "_commit: HEAD")})
    world.release("v1.1.0", {"new.txt": "new\n"})

    assert copier_update(service) == 0
    assert not (by_copier(service) / "new.txt").exists(), "copier says there is nothing newer"

    with pytest.raises(UnknownVersion, match="_commit: HEAD moves"):
        world.plan(service)


def test_a_file_that_the_template_leaves_to_the_service_stays(world: World) -> None:
    """`_skip_if_exists`, as copier has it."""
    configured = f"_skip_if_exists: [settings.py]\n{configuration}"
    world.release("v1.0.1", beside={"copier.yml": configured})
    world.release("v1.0.2", {"new.txt": "new\n"})
    service = world.service(ref="v1.0.2")
    edit(service, {"README.md": "ours\n"})
    world.release("v1.1.0", {"settings.py": theirs, "new.txt": "newer\n"})

    assert copier_update(service) == 0

    plan = world.plan(service)
    assert content(plan, "settings.py") == (by_copier(service) / "settings.py").read_text() == settings
    assert content(plan, "new.txt") == "newer\n"


def test_a_file_that_copier_leaves_out_of_updates_is_left_out(world: World) -> None:
    seed = "_exclude: [\"{% if _copier_operation == 'update' %}settings.py{% endif %}\"]\n"
    world.release("v1.0.1", {"new.txt": "new\n"}, {"copier.yml": f"{seed}{configuration}"})
    service = world.service(ref="v1.0.1")
    world.release("v1.1.0", {"settings.py": theirs, "new.txt": "newer\n"})

    assert copier_update(service) == 0

    plan = world.plan(service)
    assert content(plan, "settings.py") == (by_copier(service) / "settings.py").read_text() == settings
    assert (world.template / tree / "settings.py").read_text() == theirs
