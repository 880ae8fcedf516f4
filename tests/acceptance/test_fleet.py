"""`paypath fleet` as a command: its words and exit codes, and a fleet whose run is killed again and again."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from paypath.scaffold.fleet import State, open_journal
from paypath.scaffold.git import git
from tests.acceptance.terminal import on_a_terminal
from tests.unit.scaffold.fleet.services import branch, make_fleet, release
from tests.unit.scaffold.upgrade.test_applying import state
from tests.unit.scaffold.upgrade.world import World, edit

_paypath = Path(sys.executable).with_name("paypath")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PAYPATH_CACHE"):
        monkeypatch.setenv(variable, str(home))
    return World(tmp_path, None)  # type: ignore[arg-type]  # the command is the run


def fleet(*arguments: str, folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(_paypath), "fleet", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_status_plan_apply_and_report_tell_one_story(world: World) -> None:
    services = make_fleet(world, 4, conflicts={2})
    listed = "".join(f"{service}\n" for service in services)
    current = fleet("status", "-", "--json", folder=world.root, given=listed)
    release(world)

    planned = fleet("plan", "-", folder=world.root, given=listed)
    made = fleet("apply", *map(str, services), "--run", "run", "--no-tests", folder=world.root)
    page = fleet("report", "run", "--html", "report.html", "--json", folder=world.root)

    assert current.returncode == 0, current.stderr
    assert current.stderr == ""
    assert json.loads(current.stdout)["counts"] == {"current": 4}
    assert planned.returncode == 3
    assert planned.stdout.splitlines()[-1] == "3 ready, 1 conflicts"
    assert "till-02  till  v1.0.0  v1.1.0  conflicts  to decide: settings.py" in planned.stdout
    assert made.returncode == 3, made.stderr
    assert "if it is cut short: `paypath fleet resume run`" in made.stderr
    assert "wave 1, 1/4 till-00: upgraded" in made.stderr
    assert json.loads(page.stdout)["counts"] == {"upgraded": 3, "conflicts": 1}
    assert "setting_5 = &#x27;team 2&#x27;" in (world.root / "report.html").read_text()


def test_a_status_says_what_was_edited_and_which_library_does_not_fit(world: World) -> None:
    library = '[project]\nname = "till"\ndependencies = ["paypath[service]~=1.0.1"]\n'
    world.release(
        "v1.0.1", {".paypath/ownership.toml": 'platform = ["settings.py"]\n', "pyproject.toml": library}
    )
    edited, skewed = (world.service(name, ref="v1.0.1") for name in ("edited", "skewed"))
    edit(edited, {"settings.py": "ours = 1\n"})
    edit(skewed, {"pyproject.toml": library.replace("1.0.1", "1.1.0")})

    told = fleet("status", str(edited), str(skewed), folder=world.root)

    first, second = told.stdout.splitlines()[1:3]
    assert "1 of the platform's files edited" in first
    assert "wants the library 1.1, the template is v1.0.1" in second


def test_a_terminal_shows_a_bar_that_is_gone_in_the_end(world: World) -> None:
    services = make_fleet(world, 2)
    release(world)
    environment = {**os.environ, "TERM": "xterm"}

    with on_a_terminal(
        [_paypath, "fleet", "plan", *map(str, services)], folder=world.root, environment=environment
    ) as terminal:
        code = terminal.end()

    assert code == 2
    assert f"{'█' * 15}{'░' * 15} 1/2 till-0" in terminal.screen
    assert "till-00: ready" not in terminal.screen
    assert re.search(r"2/2 till-0\d\r\x1b\[K", terminal.raw)


def test_exit_codes_tell_what_is_newer_and_what_is_wrong(world: World) -> None:
    [service] = make_fleet(world, 1)
    assert fleet("plan", str(service), folder=world.root).returncode == 0
    release(world)
    assert fleet("plan", str(service), folder=world.root).returncode == 2
    for wrong in (
        ("plan", "nowhere"),
        ("plan",),
        ("resume", "nowhere"),
        ("report", "nowhere"),
        ("plan", "--x"),
    ):
        done = fleet(*wrong, folder=world.root)
        assert done.returncode == 1, wrong
        assert "Traceback" not in done.stderr

    red = fleet(
        *("apply", str(service), "--run", "run", "--test-command", "grep -q 'setting_5 = 5' settings.py"),
        folder=world.root,
    )
    other = fleet("resume", "run", "--no-tests", folder=world.root)

    assert red.returncode == 5
    assert other.returncode == 1
    assert "was begun with other options (tests: was True, is now False)" in other.stderr


@pytest.mark.timeout(600)
def test_a_fleet_whose_run_is_killed_again_and_again_ends_as_if_it_had_not_been(world: World) -> None:
    chance = random.Random(7)  # noqa: S311  # the moments of the kills, the same in each run of this test
    conflicts = set(chance.sample(range(100), 10))
    services = make_fleet(world, 100, conflicts)
    release(world)
    before = {number: state(services[number]) for number in conflicts}
    (world.root / "all.txt").write_text("".join(f"{service}\n" for service in services))
    words = ["apply", "all.txt", "--run", "run", "--test-command", "true", "--jobs", "8"]
    for _ in range(20):
        process = subprocess.Popen(
            [str(_paypath), "fleet", *words],
            cwd=world.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        for _ in range(chance.randrange(6)):  # lines of progress; then somewhere in the work of the next
            process.stderr.readline()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0, 0.3))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL  # else it was over: let fewer lines go by
        if (world.root / "run/journal.jsonl").exists():
            words = ["resume", "run", "--jobs", "8"]
    left = len(services) - len(open_journal(world.root / "run").outcomes)
    done = fleet(*words, "--json", folder=world.root)

    assert left > 0
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["counts"] == {"upgraded": 90, "conflicts": 10}
    reported = {each["number"] - 1 for each in report["services"] if each["state"] == "conflicts"}
    assert reported == conflicts
    for number, service in enumerate(services):
        if number in conflicts:
            assert state(service) == before[number]
            continue
        commits = git("rev-list", f"HEAD..{branch}", folder=service).split()
        moves = git("reflog", "show", "--format=%H", branch, folder=service).split()
        assert len(commits) == len(moves) == 1, service
        assert "_commit: v1.1.0" in git("show", f"{branch}:.copier-answers.yml", folder=service)
        assert git("show", f"{branch}:mine.txt", folder=service) == f"line of team {number}\n"
        assert git("fsck", "--connectivity-only", "--no-dangling", folder=service) == ""
    lines = [json.loads(line) for line in (world.root / "run/journal.jsonl").read_text().splitlines()]
    assert set(Counter(line["number"] for line in lines if line["event"] == "done").values()) == {1}
    assert len(list((world.root / "run/pull-requests").glob("*.md"))) == 90


def test_the_workers_of_a_killed_run_end_with_it_and_so_do_their_tests(world: World) -> None:
    [service] = make_fleet(world, 1)
    release(world)
    pipe = world.root / "ready"
    os.mkfifo(pipe)
    # Before the upgrade it is read below; after the upgrade nobody reads, so it waits, and the worker too.
    command = f"echo ready > {pipe}"
    process = subprocess.Popen(
        [str(_paypath), "fleet", "apply", str(service), "--run", "run", "--test-command", command],
        cwd=world.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pipe.read_text()
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()

    gone, alive = psutil.wait_procs(below, timeout=30)

    assert gone
    assert not alive
    assert not [one for one in psutil.process_iter(["cmdline"]) if command in (one.info["cmdline"] or ())]


@pytest.fixture
def scheduler(world: World) -> Iterator[str]:
    """A Dask scheduler and two workers, as processes."""
    dask = str(Path(sys.executable).with_name("dask"))
    plain = [*("--host", "127.0.0.1"), "--no-dashboard"]
    with ExitStack() as stack:
        first = stack.enter_context(
            running([dask, "scheduler", *plain, "--port", "0"], stderr=subprocess.PIPE, text=True)
        )
        assert first.stderr is not None
        found = None
        while found is None:
            line = first.stderr.readline()
            assert line, "the scheduler ended"
            found = re.search(r"Scheduler at:\s+(tcp://\S+)", line)
        for _ in range(2):
            local = str(world.root / "dask")
            stack.enter_context(
                running([dask, "worker", found[1], *plain, "--nthreads", "2", "--local-directory", local])
            )
        yield found[1]


@contextmanager
def running(words: list[str], **more: Any) -> Iterator[subprocess.Popen[Any]]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, **{**quiet, **more})
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_dask_cluster_does_the_same_work_and_goes_on_where_processes_here_were_killed(
    world: World, scheduler: str
) -> None:
    services = make_fleet(world, 8, conflicts={4})
    release(world)
    words = ["apply", *map(str, services), "--run", "run", "--no-tests"]
    process = subprocess.Popen(
        [str(_paypath), "fleet", *words, "--jobs", "1"], cwd=world.root, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "2/8" in line:
            process.kill()
            break
    process.communicate()

    done = fleet("resume", "run", "--scheduler", scheduler, "--json", folder=world.root)
    again = fleet("plan", str(services[0]), "--scheduler", scheduler, "--json", folder=world.root)

    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["counts"] == {"upgraded": 7, "conflicts": 1}
    for number, service in enumerate(services):
        assert git("branch", "--list", branch, folder=service).strip() == ("" if number == 4 else branch)
    assert json.loads(again.stdout)["counts"] == {"ready": 1}


def test_a_scheduler_that_does_not_answer_is_an_error_and_nothing_was_begun(world: World) -> None:
    [service] = make_fleet(world, 1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
        done = subprocess.run(
            [str(_paypath), "fleet", "apply", str(service), "--run", "run", "--scheduler", address],
            cwd=world.root,
            env={**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"no scheduler answers at {address}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (world.root / "run").exists()


@contextmanager
def at_a_test_that_waits(world: World, services: list[Path]) -> Iterator[subprocess.Popen[str]]:
    """Give a run at the tests of its first service, which wait for a file `go`."""
    pipe, go = world.root / "ready", world.root / "go"
    os.mkfifo(pipe)
    command = f"test -e {go} || (echo ready > {pipe}; until test -e {go}; do sleep 0.05; done)"
    words = ["apply", *map(str, services), "--run", "run", "--test-command", command]
    process = subprocess.Popen(
        [str(_paypath), "fleet", *words],
        cwd=world.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    pipe.read_text()
    assert process.stderr is not None
    with process.stderr:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def read_that_it_ends(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in iter(process.stderr.readline, ""):
        if line.startswith("ending after the services in work"):
            return
    pytest.fail("the run has ended and did not say that it would")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_finishes_the_service_in_work_and_can_be_resumed(
    world: World, number: signal.Signals
) -> None:
    services = make_fleet(world, 3)
    release(world)
    with at_a_test_that_waits(world, services) as process:
        process.send_signal(number)
        read_that_it_ends(process)
        (world.root / "go").touch()
        assert process.stderr is not None
        rest = process.stderr.read()
        process.wait()

        resumed = fleet("resume", "run", folder=world.root)

    assert process.returncode == 128 + number
    assert "the run was asked to end before all services were done" in rest
    assert "`paypath fleet resume run`" in rest
    assert "Traceback" not in rest
    assert resumed.returncode == 0, resumed.stderr
    outcomes = open_journal(world.root / "run").outcomes.values()
    assert [outcome.state for outcome in outcomes] == [State.UPGRADED] * 3


def test_the_second_signal_ends_the_services_in_work_too(world: World) -> None:
    services = make_fleet(world, 1)
    release(world)
    with at_a_test_that_waits(world, services) as process:
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        read_that_it_ends(process)
        process.send_signal(signal.SIGTERM)
        process.wait()

        _, alive = psutil.wait_procs(below, timeout=30)

    assert process.returncode == -signal.SIGTERM
    assert below
    assert not alive
