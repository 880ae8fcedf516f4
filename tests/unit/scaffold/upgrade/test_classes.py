"""What an upgrade means for each file: the safe result in every case, and every conflict told."""

from __future__ import annotations

import pytest

from paypath.scaffold.git import git
from paypath.scaffold.upgrade import Choices, Decisions, FileClass, PlanState
from tests.unit.scaffold.upgrade.world import (
    World,
    changed,
    classes,
    content,
    edit,
    file,
    lines,
    paths,
    settings,
    write,
)


def test_an_untouched_service_takes_what_the_template_changed(world: World) -> None:
    service = world.service()
    world.release(
        "v1.1.0", {"README.md": changed(lines, "line 3", "LINE 3"), "new.txt": "new\n", "docs/guide.md": None}
    )

    plan = world.plan(service)

    assert (plan.old, plan.new, plan.state) == ("v1.0.0", "v1.1.0", PlanState.READY)
    assert classes(plan) == {
        ".copier-answers.yml": FileClass.TEMPLATE_ONLY,
        "README.md": FileClass.TEMPLATE_ONLY,
        "docs/guide.md": FileClass.TEMPLATE_ONLY,
        "new.txt": FileClass.TEMPLATE_ONLY,
    }
    assert plan.tree == plan.new_tree


def test_what_only_the_team_changed_stays(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": f"{settings}ours = 1\n", "ours.py": "ours = 2\n", "docs/guide.md": None})
    world.release("v1.1.0", {"new.txt": "new\n"})

    plan = world.plan(service)

    assert file(plan, "settings.py").file_class is FileClass.TEAM_ONLY
    assert file(plan, "ours.py").file_class is FileClass.TEAM_ONLY
    assert file(plan, "docs/guide.md").file_class is FileClass.TEAM_ONLY
    assert content(plan, "settings.py").endswith("ours = 1\n")
    assert "docs/guide.md" not in paths(plan)


def test_near_changes_that_do_not_overlap_are_merged(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 55")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_7 = 7", "setting_7 = 77")})

    plan = world.plan(service)

    assert file(plan, "settings.py").file_class is FileClass.MERGED
    assert "setting_5 = 55\nsetting_6 = 6\nsetting_7 = 77\n" in content(plan, "settings.py")


def test_the_same_line_changed_by_both_is_a_conflict_with_its_three_sides(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'ours'")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'theirs'")})

    plan = world.plan(service)

    conflict = file(plan, "settings.py")
    assert plan.state is PlanState.CONFLICTS
    assert plan.open == (conflict,)
    assert conflict.file_class is FileClass.CONFLICT
    assert conflict.sides is not None
    assert plan.objects is not None
    base, ours, theirs = (
        plan.objects.content(side).decode()
        for side in (conflict.sides.base, conflict.sides.ours, conflict.sides.theirs)
    )
    assert "setting_5 = 5\n" in base
    assert "setting_5 = 'ours'\n" in ours
    assert "setting_5 = 'theirs'\n" in theirs
    assert "\n|||||||" in content(plan, "settings.py"), "the markers show the base too"


def test_an_edit_follows_a_file_that_the_template_renamed(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'ours'")})
    world.rename("settings.py", "src/configuration.py")
    world.release("v1.1.0")

    plan = world.plan(service)

    renamed = file(plan, "src/configuration.py")
    assert plan.state is PlanState.READY
    assert (renamed.file_class, renamed.old_path) == (FileClass.RENAME_FOLLOWED, "settings.py")
    assert "setting_5 = 'ours'" in content(plan, "src/configuration.py")
    assert "settings.py" not in paths(plan)


def test_a_file_that_the_template_deletes_and_the_team_edited_is_to_be_decided(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": f"{settings}ours = 1\n"})
    world.release("v1.1.0", {"settings.py": None})

    plan = world.plan(service)

    conflict = file(plan, "settings.py")
    assert (conflict.file_class, conflict.open) == (FileClass.DELETE_AGAINST_EDIT, True)
    assert content(plan, "settings.py").endswith("ours = 1\n")
    kept = world.plan(service, Choices(decisions=Decisions(ours=("settings.py",))))
    assert kept.state is PlanState.READY
    assert content(kept, "settings.py").endswith("ours = 1\n")
    taken = world.plan(service, Choices(decisions=Decisions(theirs=("settings.py",))))
    assert taken.state is PlanState.READY
    assert "settings.py" not in paths(taken)


def test_a_file_that_the_team_deleted_stays_deleted_and_the_plan_says_what_it_misses(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": None})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 55")})

    plan = world.plan(service)

    assert plan.state is PlanState.READY
    assert file(plan, "settings.py").file_class is FileClass.DELETE_AGAINST_EDIT
    assert "stays deleted" in file(plan, "settings.py").detail
    assert "settings.py" not in paths(plan)


def test_a_change_follows_a_file_that_the_team_moved(world: World) -> None:
    service = world.service()
    (service / "src").mkdir()
    git("mv", "settings.py", "src/our_settings.py", folder=service)
    edit(service, {})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 55")})

    plan = world.plan(service)

    moved = file(plan, "src/our_settings.py")
    assert (moved.file_class, moved.old_path) == (FileClass.MOVED_BY_TEAM, "settings.py")
    assert "setting_5 = 55" in content(plan, "src/our_settings.py")


def test_a_new_file_follows_a_folder_that_the_team_renamed(world: World) -> None:
    world.release("v1.0.1", {"lib/a.py": settings, "lib/b.py": lines})
    service = world.service(ref="v1.0.1")
    git("mv", "lib", "core", folder=service)
    edit(service, {})
    world.release("v1.1.0", {"lib/c.py": "c = 1\n"})

    plan = world.plan(service)

    assert file(plan, "core/c.py").file_class is FileClass.MOVED_BY_TEAM
    assert file(plan, "core/c.py").old_path == "lib/c.py"
    assert "lib/c.py" not in paths(plan)


def test_a_file_that_both_added_is_a_conflict_unless_it_is_the_same(world: World) -> None:
    service = world.service()
    edit(service, {"deploy.sh": "ours\n", "same.sh": "same\n"})
    world.release("v1.1.0", {"deploy.sh": "theirs\n", "same.sh": "same\n"})

    plan = world.plan(service)

    assert file(plan, "deploy.sh").file_class is FileClass.CONFLICT
    assert file(plan, "same.sh").file_class is FileClass.MERGED
    assert [change.path for change in plan.open] == ["deploy.sh"]


@pytest.mark.parametrize(("path", "how"), [(".env", "ignored"), ("notes.txt", "untracked")])
def test_a_file_that_git_does_not_know_is_never_overwritten(world: World, path: str, how: str) -> None:
    """Git could not bring it back; checking the branch out would overwrite an ignored file without a word."""
    service = world.service()
    write(service, {path: "SECRET=local\n"})
    world.release("v1.1.0", {path: "SECRET=template\n"})

    plan = world.plan(service)

    in_the_way = file(plan, path)
    assert (in_the_way.file_class, in_the_way.open) == (FileClass.IN_THE_WAY, True), how
    assert path not in paths(plan)
    kept = world.plan(service, Choices(decisions=Decisions(ours=(path,))))
    assert kept.state is PlanState.READY
    assert path not in paths(kept)
    assert (service / path).read_text() == "SECRET=local\n"


def test_every_file_has_one_class(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": None, "ours.py": "1\n", "README.md": "rewritten\n"})
    world.rename("app.py", "main.py")
    world.release("v1.1.0", {"README.md": "theirs\n", "docs/guide.md": None, "x/y/z.txt": "z\n"})

    plan = world.plan(service)

    seen = [change.path for change in plan.files]
    assert len(seen) == len(set(seen))
    assert paths(plan) <= set(seen)
