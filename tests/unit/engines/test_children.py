"""What holds for every child process, with real ones."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import psutil

from platform_lib.engines import Child


def _python(code: str, log: Path, **options: object) -> Child:
    return Child([sys.executable, "-c", code], log=log, **options)  # type: ignore[arg-type]


def test_a_child_writes_both_its_streams_to_the_log(tmp_path: Path) -> None:
    child = _python("import sys; print('out', flush=True); print('err', file=sys.stderr)", tmp_path / "log")

    assert child.wait(10) == 0
    assert child.output() == "out\nerr"
    assert child.output(last_lines=1) == "err"


def test_a_child_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    child = _python("import os; print(os.getsid(0) == os.getpid())", tmp_path / "log")

    assert child.wait(10) == 0
    assert child.output() == "True"


def test_a_child_gets_the_environment_it_is_given_and_no_other(tmp_path: Path) -> None:
    child = _python(
        "import os; print(os.environ.get('HOME'), os.environ['A'])", tmp_path / "log", environment={"A": "1"}
    )

    assert child.wait(10) == 0
    assert child.output() == "None 1"


def test_a_broken_pipe_ends_a_child_as_it_would_from_a_shell(tmp_path: Path) -> None:
    """Python ignores SIGPIPE, and what is ignored is inherited; the launcher must undo that."""
    child = Child(["/bin/sh", "-c", "kill -PIPE $$"], log=tmp_path / "log")

    assert child.wait(10) == -signal.SIGPIPE


def test_a_program_that_does_not_exist_ends_with_its_name_in_the_log(tmp_path: Path) -> None:
    child = Child(["/nonexistent/program"], log=tmp_path / "log")

    assert child.wait(10) == 1
    assert "FileNotFoundError" in child.output()


def test_stop_ends_a_child_with_the_signal_given(tmp_path: Path) -> None:
    child = Child(["/bin/sh", "-c", "exec sleep 60"], log=tmp_path / "log")

    assert child.poll() is None
    # Not SIGINT: what a shell started in the background ignores it, and so do its children.
    assert child.stop(signal.SIGUSR1) == -signal.SIGUSR1
    assert child.poll() == -signal.SIGUSR1


def test_stop_kills_a_child_that_does_not_listen_with_its_descendants(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo $!; wait; wait"
    child = Child(["/bin/sh", "-c", script], log=tmp_path / "log")
    while not child.output():
        assert child.poll() is None
    descendant = int(child.output())

    assert child.stop(timeout=0.1) == -signal.SIGKILL
    while _runs(descendant):  # the kernel is on it; the time limit of the test ends this should it not be
        pass


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
