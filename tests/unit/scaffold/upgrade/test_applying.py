"""The upgrade itself: a branch beside the work tree, one commit a step, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from paypath.scaffold.git import git
from paypath.scaffold.upgrade import Choices, Decisions, UpgradeError, Wishes, find_service, resolution_of
from tests.unit.scaffold.upgrade.world import World, changed, commit, edit, lines, settings, write

branch = "paypath/upgrade-v1.1.0"


def state(service: Path) -> dict[str, object]:
    """Everything of a service that its team could notice."""
    return {
        "refs": git("for-each-ref", folder=service),
        "head": (service / ".git/HEAD").read_text(),
        "index": git("ls-files", "--stage", folder=service),
        "status": git("status", "--porcelain", "--ignored", folder=service),
        "files": {
            str(path.relative_to(service)): path.read_bytes()
            for path in service.rglob("*")
            if path.is_file() and ".git" not in path.parts
        },
        "worktrees": git("worktree", "list", folder=service),
    }


def shown(service: Path, path: str, at: str = branch) -> str:
    return git("show", f"{at}:{path}", folder=service)


def test_an_upgrade_is_a_branch_and_the_work_tree_is_as_it_was(world: World) -> None:
    service = world.service()
    write(service, {"settings.py": "half done\n", "scratch.txt": "mine\n"})
    git("add", "scratch.txt", folder=service)
    before = state(service)
    world.release("v1.1.0", {"README.md": changed(lines, "line 3", "LINE 3")})

    done = world.run.apply(world.plan(service), Wishes(test=False))

    assert done.branch == branch
    assert [step.name for step in done.steps] == ["merge"]
    assert "LINE 3" in shown(service, "README.md")
    assert yaml.safe_load(shown(service, ".copier-answers.yml"))["_commit"] == "v1.1.0"
    assert git("rev-parse", f"{branch}^", folder=service) == git("rev-parse", "HEAD", folder=service)
    after = state(service)
    after["refs"] = "".join(
        line for line in str(after["refs"]).splitlines(keepends=True) if branch not in line
    )
    assert after == before


def test_the_commit_says_what_it_is_and_who_made_it(world: World, nobody: Path) -> None:
    write(nobody, {".gitconfig": "[user]\nname = Ada\nemail = ada@example.org\n"})
    service = world.service()
    world.release("v1.1.0", {"new.txt": "new\n"})

    world.run.apply(world.plan(service), Wishes(test=False))

    assert git("log", "-1", "--format=%an <%ae>%n%B", branch, folder=service).strip() == (
        "Ada <ada@example.org>\nUpgrade the template from v1.0.0 to v1.1.0\n\nPaypath-Upgrade: shop "
        "v1.0.0..v1.1.0"
    )


def test_each_codemod_is_a_commit_of_its_own(world: World) -> None:
    service = world.service()
    edit(
        service, {"use.py": "from till.old import client\n\nclient(timeout=1)\n", "other.py": "client = 1\n"}
    )
    world.release(
        "v1.1.0",
        {"new.txt": "new\n"},
        {
            "templates/migrations.yml": """\
- id: client-moved
  why: The client has a module of its own.
  imports: {till.old.client: till.clients.client}
- id: read-timeout
  why: The timeout is that of a read.
  arguments: {till.clients.client: {timeout: read_timeout}}
"""
        },
    )

    plan = world.plan(service)
    done = world.run.apply(plan, Wishes(test=False))

    assert plan.codemods == {"client-moved": ("other.py", "use.py"), "read-timeout": ("other.py", "use.py")}
    assert [step.name for step in done.steps] == ["merge", "client-moved", "read-timeout"]
    assert shown(service, "use.py") == "from till.clients import client\n\nclient(read_timeout=1)\n"
    assert shown(service, "other.py") == "client = 1\n"
    assert "ruff" in done.notes[0]
    subjects = git("log", "-2", "--format=%s", branch, folder=service).splitlines()
    assert subjects == ["The timeout is that of a read", "The client has a module of its own"]


def test_a_codemod_that_an_earlier_version_had_is_not_run_again(world: World) -> None:
    migration = "- id: moved\n  imports: {till.old.client: till.clients.client}\n"
    world.release("v1.0.1", {"a.txt": "a\n"}, {"templates/migrations.yml": migration})
    service = world.service(ref="v1.0.1")
    world.release("v1.1.0", {"b.txt": "b\n"})

    assert world.plan(service).migrations == ()


def test_an_upgrade_with_something_to_decide_is_not_made(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'ours'")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'theirs'")})
    before = state(service)

    with pytest.raises(
        UpgradeError, match=r"^shop: somebody must decide about settings.py; nothing was changed$"
    ):
        world.run.apply(world.plan(service), Wishes(test=False))

    assert state(service) == before


@pytest.mark.parametrize(
    ("decisions", "kept"),
    [(Decisions(ours=("settings.py",)), "ours"), (Decisions(theirs=("settings.py",)), "theirs")],
)
def test_a_decision_given_beforehand_takes_one_side_whole(
    world: World, decisions: Decisions, kept: str
) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'ours'")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'theirs'")})

    world.run.apply(world.plan(service, Choices(decisions=decisions)), Wishes(test=False))

    assert f"setting_5 = '{kept}'" in shown(service, "settings.py")


def test_a_conflict_is_resolved_in_a_work_tree_of_its_own_and_continued(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'ours'")})
    world.release(
        "v1.1.0",
        {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'theirs'"), "new.txt": "n\n"},
    )
    before = state(service)
    resolution = world.run.resolve(world.plan(service), Choices())

    marked = (resolution.folder / "settings.py").read_text()
    assert "<<<<<<< yours" in marked
    assert "||||||| base" in marked
    assert ">>>>>>> template" in marked
    assert git("status", "--porcelain", "settings.py", folder=resolution.folder).startswith("UU")
    assert {**state(service), "worktrees": None} == {**before, "worktrees": None}
    with pytest.raises(UpgradeError, match=r"still in conflict: settings\.py; edit them in"):
        world.run.continue_resolution(find_service(service), Wishes(test=False))

    write(resolution.folder, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'both'")})
    done = world.run.continue_resolution(find_service(service), Wishes(test=False))

    assert "setting_5 = 'both'" in shown(service, "settings.py")
    assert shown(service, "new.txt") == "n\n"
    assert done.plan.open == ()
    assert resolution_of(find_service(service)) is None
    assert git("worktree", "list", folder=service).count("\n") == 1


def test_undoing_before_the_merge_removes_the_branch(world: World) -> None:
    service = world.service()
    before = state(service)
    world.release("v1.1.0", {"new.txt": "new\n"})
    world.run.apply(world.plan(service), Wishes(test=False))

    undone = world.run.undo(find_service(service))

    assert (undone.branch, undone.merged, undone.version) == (branch, False, "v1.0.0")
    assert state(service) == before


def test_undoing_keeps_a_branch_that_holds_somebodys_work(world: World) -> None:
    service = world.service()
    world.release("v1.1.0", {"new.txt": "new\n"})
    world.run.apply(world.plan(service), Wishes(test=False))
    git("checkout", "--quiet", branch, folder=service)
    edit(service, {"ours.txt": "ours\n"})
    git("checkout", "--quiet", "main", folder=service)

    with pytest.raises(UpgradeError, match="holds commits that no upgrade made"):
        world.run.undo(find_service(service))


@pytest.mark.parametrize(
    "how",
    [("merge", "--quiet", "--no-ff"), ("merge", "--quiet", "--ff-only"), ("merge", "--squash", "--quiet")],
)
def test_undoing_after_the_merge_makes_the_reverse_and_keeps_later_work(
    world: World, how: tuple[str, ...]
) -> None:
    service = world.service()
    edit(service, {"use.py": "from till.old import client\n"})
    old = git("rev-parse", "HEAD:./", folder=service)
    migration = "- id: moved\n  imports: {till.old.client: till.clients.client}\n"
    world.release("v1.1.0", {"new.txt": "new\n"}, {"templates/migrations.yml": migration})
    world.run.apply(world.plan(service), Wishes(test=False))
    git("-c", "user.name=T", "-c", "user.email=t@localhost", *how, branch, folder=service)
    if "--squash" in how:
        commit(service, "Squashed")
    at_merge = git("rev-parse", "HEAD", folder=service)
    edit(service, {"later.txt": "later\n"})

    undone = world.run.undo(find_service(service))

    assert (undone.branch, undone.merged, undone.version, undone.exact) == (
        "paypath/undo-v1.1.0",
        True,
        "v1.0.0",
        True,
    )
    assert shown(service, "later.txt", undone.branch) == "later\n"
    assert shown(service, "use.py", undone.branch) == "from till.old import client\n"
    listed = git("ls-tree", "-r", "--name-only", undone.branch, folder=service).split()
    assert "new.txt" not in listed
    assert git("rev-parse", f"{undone.branch}^", folder=service) != at_merge
    git("checkout", "--quiet", undone.branch, folder=service)
    git("rm", "--quiet", "later.txt", folder=service)
    assert git("write-tree", folder=service) == old


def test_what_was_never_upgraded_cannot_be_undone(world: World) -> None:
    with pytest.raises(UpgradeError, match="nothing to undo"):
        world.run.undo(find_service(world.service()))
