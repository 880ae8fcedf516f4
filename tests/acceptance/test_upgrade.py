"""`paypath upgrade`, `doctor` and `adopt` as commands: their words, exit codes, and what a kill leaves."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from paypath.scaffold.git import git
from tests.unit.scaffold.upgrade.test_applying import branch, state
from tests.unit.scaffold.upgrade.world import World, changed, edit, settings, write

_paypath = Path(sys.executable).with_name("paypath")
makefile = "test:\n\t@grep -q 'setting_1 = 1' settings.py && echo all is well\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PAYPATH_CACHE"):
        monkeypatch.setenv(variable, str(home))
    return World(tmp_path, None)  # type: ignore[arg-type]  # the command is the run


def paypath(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(_paypath), *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plan_says_what_would_happen_and_the_upgrade_does_it(world: World) -> None:
    service = world.service()
    world.release("v1.1.0", {"new.txt": "new\n", "Makefile": makefile})

    planned = paypath("upgrade", "--plan", "--json", folder=service)
    page = paypath("upgrade", "--plan", "--html", "plan.html", folder=service)
    made = paypath("upgrade", "--json", folder=service)

    assert planned.returncode == page.returncode == 2
    document = json.loads(planned.stdout)
    assert (document["from"], document["to"], document["state"]) == ("v1.0.0", "v1.1.0", "ready")
    assert {"path": "new.txt", "class": "template-only", "detail": "added"} in document["files"]
    assert "<title>shop: v1.0.0 → v1.1.0</title>" in (service / "plan.html").read_text()
    assert made.returncode == 0, made.stderr
    upgraded = json.loads(made.stdout)
    assert upgraded["branch"] == branch
    assert [step["name"] for step in upgraded["steps"]] == ["merge"]
    assert [(suite["when"], suite["passed"]) for suite in upgraded["tests"]] == [
        ("before", False),
        ("after", True),
    ]


def test_nothing_newer_is_0_and_a_newer_version_is_2_only_where_one_asks(world: World) -> None:
    service = world.service()
    assert paypath("upgrade", "--check", folder=service).returncode == 0
    done = paypath("upgrade", folder=service)
    assert (done.returncode, done.stdout) == (0, "shop is at v1.0.0; nothing is newer\n")

    world.release("v1.1.0", {"new.txt": "new\n"})
    checked = paypath("upgrade", "--check", folder=service)

    assert (checked.returncode, checked.stdout) == (2, "shop can go from v1.0.0 to v1.1.0: clean\n")


def test_a_conflict_is_3_shows_its_sides_and_can_be_resolved(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'ours'")})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'theirs'")})
    before = state(service)

    refused = paypath("upgrade", folder=service)
    assert refused.returncode == 3
    for text in (
        "setting_5 = 5",
        "setting_5 = 'ours'",
        "setting_5 = 'theirs'",
        "--ours settings.py",
        "--resolve",
    ):
        assert text in refused.stdout
    assert state(service) == before

    laid_out = paypath("upgrade", "--resolve", "--json", folder=service)
    assert laid_out.returncode == 3
    folder = Path(json.loads(laid_out.stdout)["folder"])
    assert paypath("upgrade", "--continue", folder=service).returncode == 1
    write(folder, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'both'")})
    done = paypath("upgrade", "--continue", "--no-tests", folder=service)

    assert done.returncode == 0, done.stderr
    assert "setting_5 = 'both'" in git("show", f"{branch}:settings.py", folder=service)


def test_a_resolution_can_be_given_up(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": None, "currency.txt": "ours\n"})
    world.release("v1.1.0", {"currency.txt": "theirs\n"})
    before = state(service)

    assert paypath("upgrade", "--resolve", folder=service).returncode == 3
    given_up = paypath("upgrade", "--abort", folder=service)

    assert (given_up.returncode, given_up.stdout) == (0, "shop: given up; nothing of it is left\n")
    assert state(service) == before
    assert paypath("upgrade", "--abort", folder=service).returncode == 1


def test_a_template_that_runs_code_is_4_and_none_of_it_is_run(world: World, tmp_path: Path) -> None:
    service = world.service()
    configuration = (world.template / "copier.yml").read_text()
    world.release(
        "v1.1.0", {"new.txt": "n\n"}, {"copier.yml": f"_tasks: ['touch {tmp_path}/ran']\n{configuration}"}
    )

    refused = paypath("upgrade", folder=service)

    assert refused.returncode == 4
    assert "tasks" in refused.stderr
    assert not (tmp_path / "ran").exists()


def test_tests_that_the_upgrade_breaks_are_5_and_tests_that_were_red_are_not(world: World) -> None:
    world.release("v1.0.1", {"Makefile": makefile})
    service = world.service(ref="v1.0.1")
    red = world.service("red", ref="v1.0.1")
    edit(red, {"Makefile": "test:\n\t@echo never green && false\n"})
    world.release("v1.1.0", {"settings.py": changed(settings, "setting_1 = 1\n", "")})

    broken = paypath("upgrade", folder=service)
    was_red = paypath("upgrade", folder=red)
    unasked = paypath("upgrade", "--no-tests", folder=world.service("quiet", ref="v1.0.1"))

    assert broken.returncode == 5
    assert branch in git("branch", "--list", branch, folder=service), "the branch is there to be looked at"
    assert was_red.returncode == 0
    assert "failed before the upgrade too" in was_red.stderr
    assert unasked.returncode == 0


def test_bad_input_is_1_because_2_means_a_newer_version(world: World) -> None:
    service = world.service()

    for arguments in (
        ("--nothing",),
        ("--plan", "--undo"),
        ("--to", "v9"),
        ("-d", "x"),
        ("--html", "x.html"),
    ):
        assert paypath("upgrade", *arguments, folder=service).returncode == 1
    assert paypath("upgrade", "elsewhere", folder=service).returncode == 1


@pytest.mark.timeout(300)
def test_a_kill_at_any_moment_leaves_the_service_as_it_was(world: World, tmp_path: Path) -> None:
    """Git is called at each step, so a git that kills its caller at the n-th call is a kill at that step."""
    service = world.service()
    edit(service, {"settings.py": changed(settings, "setting_5 = 5", "setting_5 = 55")})
    write(service, {"README.md": "half done\n"})
    world.release(
        "v1.1.0",
        {"settings.py": changed(settings, "setting_15 = 15", "setting_15 = 1515"), "Makefile": makefile},
    )
    deadly = tmp_path / "deadly"
    deadly.mkdir()
    real = subprocess.run(
        ["sh", "-c", "command -v git"], capture_output=True, text=True, check=True
    ).stdout.strip()
    write(
        deadly,
        {
            "git": '#!/bin/sh\necho >>"$COUNT"\n[ "$(wc -l <"$COUNT")" = "$DIE_AT" ] && kill -9 $PPID\n'
            f'exec {real} "$@"\n'
        },
    )
    (deadly / "git").chmod(0o755)
    count = tmp_path / "count"
    before = state(service)

    def upgrade(die_at: int) -> subprocess.CompletedProcess[str]:
        count.unlink(missing_ok=True)
        path = f"{deadly}{os.pathsep}{os.environ['PATH']}"
        return paypath("upgrade", folder=service, PATH=path, COUNT=str(count), DIE_AT=str(die_at))

    for _ in range(2):  # the first run also fills the cache, with more calls
        git("update-ref", "-d", f"refs/heads/{branch}", folder=service)
        assert upgrade(0).returncode == 0
    calls = len(count.read_text().splitlines())
    complete = git("rev-parse", f"{branch}^{{tree}}", folder=service)
    moved = state(service)
    git("branch", "-D", branch, folder=service)
    assert state(service) == before

    chance = random.Random(calls)  # noqa: S311  # no secret
    moments = {*chance.sample(range(1, calls - 9), 5), *range(calls - 9, calls + 1, 2), calls}
    for moment in sorted(moments):
        assert upgrade(moment).returncode == -9, f"killed before call {moment} of {calls}"
        after = state(service)
        if after != before:
            assert {**after, "refs": ""} == {**moved, "refs": ""}
            assert git("rev-parse", f"{branch}^{{tree}}", folder=service) == complete
            git("branch", "-D", branch, folder=service)
    rooms = Path(os.environ["PAYPATH_CACHE"]) / "work"
    assert list(rooms.glob("room-*")), "a killed run cannot clean up"
    assert upgrade(0).returncode == 0
    assert not list(rooms.glob("room-*")), "the next run does it"


def test_an_undo_is_told_and_so_is_the_way_back(world: World) -> None:
    service = world.service()
    world.release("v1.1.0", {"new.txt": "new\n"})
    assert paypath("upgrade", "--no-tests", folder=service).returncode == 0

    undone = paypath("upgrade", "--undo", folder=service)

    assert undone.returncode == 0
    assert f"the branch {branch} is gone" in undone.stdout
    assert f"git branch {branch}" in undone.stdout
    assert paypath("upgrade", "--undo", folder=service).returncode == 1


def test_a_doctor_says_how_to_mend_and_exits_1_if_there_is_something(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py.rej": "@@\n", "README.md": "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"})

    found = paypath("doctor", "--json", folder=service)

    assert found.returncode == 1
    ids = {finding["id"] for finding in json.loads(found.stdout)["findings"]}
    assert {"rejected", "conflict-markers", "source-path", "drift"} <= ids
    assert "mend:" in paypath("doctor", folder=service).stdout


def test_a_service_made_by_hand_is_adopted_and_upgraded(world: World) -> None:
    service = world.service(currency="GBP")
    edit(service, {".copier-answers.yml": None, "ours.py": "ours = 1\n"})
    world.release("v1.1.0", {"new.txt": "new\n"})

    shown = paypath("adopt", "--source", str(world.template), "-d", "currency=GBP", folder=service)
    adopted = paypath(
        "adopt", "--source", str(world.template), "-d", "currency=GBP", "--yes", "--json", folder=service
    )
    assert shown.returncode == 0, shown.stderr
    assert "is nearest to v1.0.0: 100% of its lines" in shown.stdout
    assert json.loads(adopted.stdout)["version"] == "v1.0.0"
    git("merge", "--quiet", "paypath/adopt", folder=service)

    assert paypath("upgrade", "--no-tests", folder=service).returncode == 0
    assert git("show", f"{branch}:new.txt", folder=service) == "new\n"
    assert git("show", f"{branch}:currency.txt", folder=service) == "GBP\n"
