"""The demo as its user runs it: one command, real processes, and nothing left behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

command = [sys.executable, "-m", "paypath", "demo", "--engine", "embedded"]


@pytest.fixture
def mark() -> Iterator[dict[str, str]]:
    """An environment that every process of one demo inherits, by which its leftovers are found and ended."""
    variables = {"PAYPATH_DEMO_MARK": uuid.uuid4().hex}
    yield {**os.environ, **variables}
    for process in survivors(variables["PAYPATH_DEMO_MARK"]):
        process.kill()


def survivors(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PAYPATH_DEMO_MARK") == mark and process.pid != os.getpid():
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def test_the_demo_plays_every_step_to_its_outcome_and_leaves_nothing(
    tmp_path: Path, mark: dict[str, str]
) -> None:
    done = subprocess.run(
        [*command, "--json", "--directory", tmp_path / "demo"],
        env=mark,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert [step["outcome"] for step in report["steps"]] == [step["expected"] for step in report["steps"]]
    assert {"authorised", "captured", "declined", "unknown"} <= {
        word for step in report["steps"] for word in step["outcome"].replace(",", "").split()
    }
    assert {span["role"] for span in report["trace"]} >= {
        "request",
        "use case",
        "provider call",
        "database",
        "outbox",
        "broker",
    }
    assert len({span["trace_id"] for span in report["trace"]}) == 1
    assert {engine["resource"]: engine["engine"] for engine in report["engines"]} == {
        "postgres": "embedded",
        "nats": "embedded",
        "provider": "embedded",
    }
    assert report["health"]["status"] == "pass"
    assert "\033[" not in done.stderr
    assert survivors(mark["PAYPATH_DEMO_MARK"]) == []


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("[1/5]", signal.SIGTERM),
        ("[2/5]", signal.SIGINT),
        ("postgres", signal.SIGTERM),
        ("provider  ", signal.SIGINT),
        ("schema", signal.SIGTERM),
        ("capture all of it", signal.SIGINT),
    ],
)
def test_a_signal_at_any_moment_leaves_no_process_and_no_port(
    tmp_path: Path, mark: dict[str, str], words: str, number: signal.Signals
) -> None:
    demo = subprocess.Popen(
        [*command, "--directory", tmp_path / "demo"],
        env=mark,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if words in line:
            break
    demo.send_signal(number)
    rest = demo.communicate(timeout=30)[0]

    assert demo.returncode == 128 + number, "".join(seen) + rest
    assert "Traceback" not in rest
    assert survivors(mark["PAYPATH_DEMO_MARK"]) == []


def test_even_sigkill_leaves_no_process(tmp_path: Path, mark: dict[str, str]) -> None:
    demo = subprocess.Popen(
        [*command, "--directory", tmp_path / "demo"],
        env=mark,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "authorise" in line:
            break
    left = survivors(mark["PAYPATH_DEMO_MARK"])
    demo.kill()
    demo.communicate(timeout=30)

    assert len(left) > 3
    _, alive = psutil.wait_procs(left, timeout=10)
    assert alive == []


def test_a_taken_port_that_was_asked_for_ends_the_demo_and_names_its_holder(
    tmp_path: Path, mark: dict[str, str]
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = subprocess.run(
            [*command, "--port", str(port), "--directory", tmp_path / "demo"],
            env=mark,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    assert f"port {port} is held by" in done.stderr
    assert f"pid {os.getpid()}" in done.stderr
    assert survivors(mark["PAYPATH_DEMO_MARK"]) == []


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path, mark: dict[str, str]) -> None:
    first = subprocess.Popen(
        [*command, "--directory", tmp_path / "demo"],
        env=mark,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    first.stdout.readline()
    second = subprocess.run(
        [*command, "--directory", tmp_path / "demo"],
        env=mark,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    first.communicate(timeout=60)

    assert second.returncode == 1
    assert "another demo runs in it" in second.stderr
    assert first.returncode == 0
