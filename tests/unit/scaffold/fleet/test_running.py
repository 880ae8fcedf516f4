"""Runs over a fleet: outcomes, waves and gates, and what a resumed run takes from its journal."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import Executor
from pathlib import Path

import pytest

from paypath.scaffold.fleet import (
    BadFleet,
    FleetError,
    FleetStopped,
    Order,
    State,
    Stop,
    Target,
    apply_fleet,
    fleet_plan,
    fleet_status,
    local_executor,
    open_journal,
    read_targets,
    report_document,
    report_page,
    resume_fleet,
)
from paypath.scaffold.fleet.journal import holding_run
from paypath.scaffold.git import git
from paypath.scaffold.upgrade import Choices, Decisions, Wishes
from tests.unit.scaffold.fleet.services import branch, make_fleet, release
from tests.unit.scaffold.upgrade.test_applying import state
from tests.unit.scaffold.upgrade.world import World, commit, edit

quick = Order(tests=False, waves="all")


def targets_of(services: list[Path]) -> tuple[Target, ...]:
    return read_targets(map(str, services))


def branches(service: Path) -> list[str]:
    return git("branch", "--list", "--format=%(refname:short)", "paypath/*", folder=service).split()


def test_a_plan_tells_every_service_and_writes_nothing(world: World, workers: Executor) -> None:
    services = make_fleet(world, 3, conflicts={1})
    release(world)
    before = [state(service) for service in services]

    outcomes = fleet_plan(targets_of(services), workers)

    assert [outcome.state for outcome in outcomes] == [State.READY, State.CONFLICTS, State.READY]
    assert outcomes[1].conflicts == ("settings.py",)
    assert {(outcome.kind, outcome.old, outcome.new) for outcome in outcomes} == {
        ("till", "v1.0.0", "v1.1.0")
    }
    assert [state(service) for service in services] == before
    assert not list((world.root / "cache/work").glob("room-*/in/mirrors"))


def test_a_status_has_drift_findings_and_what_cannot_be_read(world: World, workers: Executor) -> None:
    service, lost = make_fleet(world, 2)
    edit(lost, {".copier-answers.yml": "_src_path: nowhere\n_commit: v0.9.0\nkind: till\n"})
    empty = world.root / "empty"
    empty.mkdir()

    good, stray, bad = fleet_status(targets_of([service, lost, empty]), workers)

    assert (good.state, good.old, good.kind) == (State.CURRENT, "v1.0.0", "till")
    assert good.findings > 0  # its template is at a path of this machine
    assert (stray.state, stray.old, stray.kind) == (State.FAILED, "v0.9.0", "till")
    assert "the template is not there" in stray.message
    assert bad.state is State.FAILED
    assert "not in a git repository" in bad.message


def test_a_status_counts_edited_platform_files_and_tells_a_library_of_another_version(
    world: World, workers: Executor
) -> None:
    """One service as it was made, one with edits in two files of the platform's, one with a newer library."""
    library = '[project]\nname = "till"\ndependencies = ["paypath[service]~=1.0.1"]\n'
    owners = 'platform = ["settings.py", "app.py"]\nteam = ["README.md", "pyproject.toml"]\n'
    world.release("v1.0.1", {".paypath/ownership.toml": owners, "pyproject.toml": library})
    plain, edited, skewed = (world.service(name, ref="v1.0.1") for name in ("plain", "edited", "skewed"))
    edit(edited, {"settings.py": "ours = 1\n", "app.py": "ours = 2\n", "README.md": "ours\n"})
    edit(skewed, {"pyproject.toml": library.replace("~=1.0.1", "~=1.1.0")})

    found = fleet_status(targets_of([plain, edited, skewed]), workers)

    assert [outcome.state for outcome in found] == [State.CURRENT] * 3
    assert [outcome.drift for outcome in found] == [0, 2, 0]
    assert [outcome.skew for outcome in found] == [
        "",
        "",
        "pyproject.toml: wants the library 1.1, the template is v1.0.1",
    ]
    assert [outcome.findings - found[0].findings for outcome in found] == [0, 1, 1]


def test_a_run_upgrades_the_clean_and_reports_the_others(world: World, workers: Executor) -> None:
    services = make_fleet(world, 5, conflicts={2})
    release(world)

    journal = apply_fleet(world.root / "run", targets_of(services), workers, quick)

    assert journal.ended == "done"
    assert [journal.outcomes[number].state for number in range(1, 6)] == [
        State.UPGRADED,
        State.UPGRADED,
        State.CONFLICTS,
        State.UPGRADED,
        State.UPGRADED,
    ]
    assert [branches(service) for service in services] == [[branch], [branch], [], [branch], [branch]]
    assert git("show", f"{branch}:mine.txt", folder=services[4]) == "line of team 4\n"
    texts = sorted((world.root / "run/pull-requests").iterdir())
    assert [text.name for text in texts] == [f"{n + 1:04}-till-{n:02}.md" for n in (0, 1, 3, 4)]
    assert "# Upgrade the template from v1.0.0 to v1.1.0" in texts[0].read_text()
    assert "`README.md`" in texts[0].read_text()
    document = report_document(world.root / "run")
    assert (document["state"], document["counts"]) == ("done", {"upgraded": 4, "conflicts": 1})
    page = report_page(document)
    assert "setting_5 = &#x27;team 2&#x27;" in page
    assert "setting_5 = &#x27;theirs&#x27;" in page


def test_a_run_that_is_asked_to_stop_keeps_what_is_done_and_can_be_resumed(
    world: World, workers: Executor
) -> None:
    services = make_fleet(world, 6)
    release(world)
    stop = Stop()

    with pytest.raises(FleetStopped):
        apply_fleet(
            world.root / "run",
            targets_of(services),
            workers,
            quick,
            said=lambda progress: stop.request() if progress.done == 2 else None,
            stop=stop,
        )
    stopped = open_journal(world.root / "run")
    journal = resume_fleet(world.root / "run", workers)

    assert len(stopped.outcomes) == 2
    assert stopped.ended == ""
    assert {outcome.state for outcome in journal.outcomes.values()} == {State.UPGRADED}
    assert len(journal.outcomes) == 6


def test_one_mirror_and_one_checkout_of_each_version_serve_a_run(world: World, workers: Executor) -> None:
    services = make_fleet(world, 4)
    release(world)

    apply_fleet(world.root / "run", targets_of(services), workers, quick)

    assert len(list((world.root / "run/mirrors").glob("*/mirror.git"))) == 1
    assert len(list((world.root / "cache/checkouts").iterdir())) == 2


def test_what_is_released_during_a_run_does_not_count(world: World, workers: Executor) -> None:
    services = make_fleet(world, 2)
    release(world)
    run = world.root / "run"
    order = Order(waves="1,all", test_command="grep -q 'setting_5 = 5' settings.py")
    with local_executor(1) as first:
        assert apply_fleet(run, targets_of(services), first, order).ended == "stopped"

    world.release("v1.2.0", {"new.txt": "new\n"})
    resume_fleet(run, workers, go_on=True)

    assert [branches(service) for service in services] == [[branch], [branch]]


def test_the_first_wave_goes_on_until_an_upgrade_was_tried(world: World, workers: Executor) -> None:
    services = make_fleet(world, 4, conflicts={0})
    release(world)
    waves = []

    apply_fleet(
        world.root / "run",
        targets_of(services),
        workers,
        Order(tests=False, waves="1,all"),
        said=lambda progress: waves.append((progress.wave, progress.outcome.number)),
    )

    assert waves[:2] == [(1, 1), (1, 2)]
    assert sorted(waves[2:]) == [(2, 3), (2, 4)]


def test_red_tests_stop_the_run_at_the_gate_until_somebody_lets_it_go_on(
    world: World, workers: Executor
) -> None:
    services = make_fleet(world, 3)
    release(world)
    order = Order(waves="1,all", test_command="grep -q 'setting_5 = 5' settings.py")
    run = world.root / "run"

    journal = apply_fleet(run, targets_of(services), workers, order)

    assert journal.ended == "stopped"
    assert [outcome.state for outcome in journal.outcomes.values()] == [State.RED]
    assert [branches(service) for service in services] == [[branch], [], []]
    assert "fail on this branch" in (run / "pull-requests/0001-till-00.md").read_text()
    assert resume_fleet(run, workers).ended == "stopped"
    assert report_document(run)["counts"] == {"tests-red": 1, "waiting": 2}

    journal = resume_fleet(run, workers, go_on=True)

    assert journal.ended == "done"
    assert open_journal(run).ended == "done"
    assert [branches(service) for service in services] == [[branch]] * 3
    with pytest.raises(BadFleet, match="no gate stopped this run"):
        resume_fleet(run, workers, go_on=True)


@pytest.mark.parametrize(("allowed", "ended"), [(0, "stopped"), (1, "done")])
def test_failures_stop_the_run_if_there_are_more_than_allowed(
    world: World, workers: Executor, allowed: int, ended: str
) -> None:
    services = make_fleet(world, 3)
    edit(services[0], {".copier-answers.yml": "_src_path: nowhere\n_commit: v1.0.0\n"})
    release(world)
    order = Order(tests=False, waves="1,all", max_failed=allowed)

    journal = apply_fleet(world.root / "run", targets_of(services), workers, order)

    assert journal.outcomes[1].state is State.FAILED
    assert "not there" in journal.outcomes[1].message
    assert journal.ended == ended


def test_a_resume_with_other_options_is_refused(world: World, workers: Executor) -> None:
    services = make_fleet(world, 1)
    release(world)
    run = world.root / "run"
    apply_fleet(run, targets_of(services), workers, quick)

    with pytest.raises(BadFleet, match="tests: was False, is now True"):
        resume_fleet(run, workers, given={"tests": True, "waves": "all"})
    assert resume_fleet(run, workers, given={"tests": False, "waves": "all"}).ended == "done"
    with pytest.raises(BadFleet, match="holds a run already"):
        apply_fleet(run, targets_of(services), workers, quick)
    with pytest.raises(BadFleet, match="holds no run"):
        resume_fleet(world.root / "other", workers)
    assert not (world.root / "other").exists()


def test_two_processes_never_work_on_one_run(world: World, workers: Executor) -> None:
    services = make_fleet(world, 1)
    run = world.root / "run"
    apply_fleet(run, targets_of(services), workers, quick)

    with holding_run(run), pytest.raises(FleetError, match="another process"):
        resume_fleet(run, workers)


def test_half_a_line_at_the_end_of_the_journal_does_not_count(world: World, workers: Executor) -> None:
    services = make_fleet(world, 2)
    release(world)
    run = world.root / "run"
    apply_fleet(run, targets_of(services), workers, quick)
    file = run / "journal.jsonl"
    first, second, *_ = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + second + b'{"event": "done", "num')
    kept = json.loads(second)["number"]

    assert set(open_journal(run).outcomes) == {kept}
    journal = resume_fleet(run, workers)

    assert [journal.outcomes[number].state for number in (1, 2)] == [State.UPGRADED] * 2
    events = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert events == ["begun", "done", "done", "ended"]


def test_a_branch_set_just_before_a_kill_counts_and_is_not_made_again(
    world: World, workers: Executor
) -> None:
    services = make_fleet(world, 1)
    release(world)
    run = world.root / "run"
    order = Order(test_command="true", waves="all")
    apply_fleet(run, targets_of(services), workers, order)
    tip = git("rev-parse", branch, folder=services[0])
    file = run / "journal.jsonl"
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])

    outcome = resume_fleet(run, workers).outcomes[1]

    assert (outcome.state, outcome.branch) == (State.UPGRADED, branch)
    assert git("rev-parse", branch, folder=services[0]) == tip
    assert "passed in" in (run / "pull-requests/0001-till-00.md").read_text()


def test_a_branch_of_that_name_that_is_somebody_elses_is_left_alone(world: World, workers: Executor) -> None:
    services = make_fleet(world, 1)
    release(world)
    git("switch", "--quiet", "--create", branch, folder=services[0])
    tip = edit(services[0], {"mine.txt": "newer\n"})
    git("switch", "--quiet", "main", folder=services[0])

    journal = apply_fleet(world.root / "run", targets_of(services), workers, quick)

    assert journal.outcomes[1].state is State.FAILED
    assert "the branch is there already" in journal.outcomes[1].message
    assert git("rev-parse", branch, folder=services[0]).strip() == tip


def test_a_lock_that_a_killed_git_left_is_told_for_what_it_is(world: World, workers: Executor) -> None:
    services = make_fleet(world, 1)
    release(world)
    lock = services[0] / f".git/refs/heads/{branch}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()

    journal = apply_fleet(world.root / "run", targets_of(services), workers, quick)

    assert journal.outcomes[1].state is State.FAILED
    assert "cannot be set" in journal.outcomes[1].message
    assert lock.name in journal.outcomes[1].message


def test_a_conflict_that_was_decided_by_hand_counts_as_upgraded(world: World, workers: Executor) -> None:
    services = make_fleet(world, 1, conflicts={0})
    release(world)
    choices = Choices(decisions=Decisions(ours=("settings.py",)))
    by_hand = world.run.apply(world.plan(services[0], choices), Wishes(test=False))

    journal = apply_fleet(world.root / "run", targets_of(services), workers, quick)

    assert (journal.outcomes[1].state, journal.outcomes[1].conflicts) == (State.UPGRADED, ())
    assert git("rev-parse", branch, folder=services[0]).strip() == by_hand.steps[-1].commit
    text = (world.root / "run/pull-requests/0001-till-00.md").read_text()
    assert "Somebody decided about `settings.py`" in text


def test_a_service_with_a_url_is_cloned_once_and_pushed_only_if_asked(
    world: World, workers: Executor
) -> None:
    [service] = make_fleet(world, 1)
    release(world)
    hub = world.root / "hub" / "till.git"
    git("clone", "--quiet", "--bare", str(service), str(hub), folder=world.root)
    targets = read_targets([f"file://{hub}"])

    kept = apply_fleet(world.root / "run", targets, workers, quick)

    assert (kept.outcomes[1].state, kept.outcomes[1].name) == (State.UPGRADED, "till")
    assert branches(world.root / "run/clones/0001/till.git") == [branch]
    assert branches(hub) == []

    pushed = apply_fleet(world.root / "pushed", targets, workers, Order(tests=False, waves="all", push=True))

    assert pushed.outcomes[1].pushed
    assert branches(hub) == [branch]


def test_services_that_share_a_repository_get_a_branch_each(world: World, workers: Executor) -> None:
    model = make_fleet(world, 1)[0]
    release(world)
    whole = world.root / "whole"
    for name in ("left", "right"):
        shutil.copytree(model, whole / "services" / name, ignore=shutil.ignore_patterns(".git"))
    git("init", "--quiet", "--initial-branch=main", folder=whole)
    commit(whole, "All of us")

    journal = apply_fleet(
        world.root / "run", targets_of(sorted((whole / "services").iterdir())), workers, quick
    )

    assert [outcome.state for outcome in journal.outcomes.values()] == [State.UPGRADED] * 2
    assert branches(whole) == [
        "paypath/upgrade-services-left-v1.1.0",
        "paypath/upgrade-services-right-v1.1.0",
    ]


def test_a_fault_in_one_service_does_not_stop_the_others(world: World, workers: Executor) -> None:
    services = make_fleet(world, 2)
    release(world)
    targets = targets_of(services)
    shutil.rmtree(services[0])

    journal = apply_fleet(world.root / "run", targets, workers, Order(tests=False, waves="all", max_failed=1))

    assert [journal.outcomes[number].state for number in (1, 2)] == [State.FAILED, State.UPGRADED]


def test_a_worker_that_dies_ends_the_run_and_a_resume_goes_on(world: World) -> None:
    services = make_fleet(world, 2)
    release(world)
    run = world.root / "run"

    with local_executor(1) as dying:
        dying.submit(os._exit, 1)
        with pytest.raises(FleetError, match="a worker process died"):
            apply_fleet(run, targets_of(services), dying, quick)
    with local_executor(1) as workers:
        journal = resume_fleet(run, workers)

    assert [journal.outcomes[number].state for number in (1, 2)] == [State.UPGRADED] * 2
