"""Random edits by the team against random changes of the template: no line of the team's vanishes unseen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paypath.scaffold.git import git
from paypath.scaffold.upgrade import FileClass, Plan, UpgradeRun, Wishes, upgrade_run
from tests.unit.scaffold.upgrade.world import World, commit, tree, write

names = ("README.md", "settings.py", "app.py", "docs/guide.md", "currency.txt")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _shuffle_team(chance: random.Random, service: Path) -> dict[str, set[str]]:
    """Change the service as a team might; return the lines that are the team's by file."""
    own: dict[str, set[str]] = {}
    for number, name in enumerate(names):
        file = service / name
        what = chance.choice(["edit", "edit", "edit", "move", "delete", "leave"])
        if what == "delete":
            file.unlink()
            continue
        if what in {"edit", "move"}:
            held = _lines(file)
            for each in range(chance.randint(1, 4)):
                line = f"team line {number}.{each}"
                place = chance.randint(0, len(held))
                held[place : place + chance.randint(0, 1)] = [line]
                own.setdefault(name, set()).add(line)
            own[name] = {line for line in own[name] if line in held}
            file.write_text("".join(f"{line}\n" for line in held))
        if what == "move":
            target = service / "moved" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
    if chance.random() < 0.5:
        write(service, {"added.txt": "team line of a new file\n"})
        own["added.txt"] = {"team line of a new file"}
    commit(service, "Ours")
    return own


def _shuffle_template(chance: random.Random, world: World) -> None:
    rendered = world.template / tree
    for number, name in enumerate(names):
        file = rendered / name
        what = chance.choice(["edit", "edit", "edit", "rename", "delete", "leave"])
        if what == "delete":
            file.unlink()
            continue
        if what in {"edit", "rename"}:
            held = _lines(file)
            for each in range(chance.randint(1, 4)):
                place = chance.randint(0, len(held))
                held[place : place + chance.randint(0, 2)] = [f"template line {number}.{each}"]
            file.write_text("".join(f"{line}\n" for line in held))
        if what == "rename":
            target = rendered / "renamed" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
    if chance.random() < 0.5:
        (rendered / "added.txt").write_text("template line of a new file\n")
    world.release("v1.1.0")


def _lost(plan: Plan, own: dict[str, set[str]]) -> list[str]:
    """Return the team's lines that are neither in the result nor in a side of a conflict that is told."""
    assert plan.objects is not None
    result = "\n".join(
        plan.objects.content(entry).decode() for entry in plan.objects.files(plan.tree).values()
    ).splitlines()
    told = [
        line
        for change in plan.open
        if change.sides is not None
        for line in plan.objects.content(change.sides.ours).decode().splitlines()
    ]
    return [line for lines in own.values() for line in lines if line not in result and line not in told]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpgradeRun]:
    with upgrade_run(tmp_path_factory.mktemp("cache")) as run:
        yield run


@settings(max_examples=20, deadline=None, derandomize=True)
@given(chance=st.randoms(use_true_random=False))
def test_every_line_of_the_team_is_in_the_result_or_in_a_conflict(
    run: UpgradeRun, chance: random.Random
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder), run)
        service = world.service()
        own = _shuffle_team(chance, service)
        _shuffle_template(chance, world)
        before = git("rev-parse", "HEAD", folder=service)

        plan = world.plan(service)

        assert _lost(plan, own) == []
        assert before == git("rev-parse", "HEAD", folder=service)
        for change in plan.files:
            if change.file_class is FileClass.CONFLICT:
                assert change.open
                assert change.sides is not None
        if not plan.open:
            made = run.apply(plan, Wishes(test=False))
            assert git("rev-parse", f"{made.branch}^{{tree}}", folder=service).strip() == plan.tree
