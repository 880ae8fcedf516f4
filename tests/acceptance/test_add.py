"""`paypath add` and `paypath remove` as their users meet them: a process, with and without a terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paypath.scaffold.git import git
from tests.acceptance.terminal import on_a_terminal

root = Path(__file__).parents[2]
command = (sys.executable, "-m", "paypath.cli")

Paypath = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A payment service, everything committed."""
    folder = tmp_path / "payments"
    listed = git("ls-files", "-z", "--cached", "--", ".", folder=root / "examples/payments").split("\0")
    for name in filter(None, listed):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "examples/payments" / name, folder / name)
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    _commit(folder)
    return folder


def _commit(folder: Path) -> None:
    git("add", "--all", "--force", folder=folder)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "all", folder=folder)


@pytest.fixture
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept.pop("NO_COLOR", None)
    return {**kept, "PYTHONPATH": str(root)}


@pytest.fixture
def paypath(service: Path, environment: dict[str, str]) -> Paypath:
    """The command in the service, without a terminal."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments],
            cwd=service,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _changed(service: Path) -> list[str]:
    return git("status", "--porcelain", "--untracked-files=all", folder=service).splitlines()


def test_without_a_terminal_nothing_is_written_before_somebody_says_yes(
    paypath: Paypath, service: Path
) -> None:
    refused = paypath("add", "webhook", "acme")

    assert refused.returncode == 2
    assert "+++ b/src/payments/entrypoints/acme_webhook.py" in refused.stdout
    assert refused.stderr.startswith(
        "error: webhook acme: nobody can be asked here, so nothing was written; "
    )
    assert _changed(service) == []


def test_a_piece_is_added_once_and_taken_out_once(paypath: Paypath, service: Path) -> None:
    done = [
        paypath(*arguments, "--yes")
        for arguments in (
            ("add", "webhook", "acme"),
            ("add", "webhook", "acme"),
            ("remove", "webhook", "acme"),
            ("remove", "webhook", "acme"),
        )
    ]

    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    first, again, gone, nothing = (one.stdout for one in done)
    assert first.startswith("Added webhook acme\n  new             .paypath/pieces/webhook/acme.json\n")
    assert "  changed         src/payments/wiring.py\n" in first
    assert "PAYMENTS_ACME_WEBHOOK_SECRET" in first
    assert again == "webhook acme is there already; nothing to do\n"
    assert gone.startswith("Removed webhook acme\n")
    assert nothing == "webhook acme is not there; nothing to do\n"
    assert _changed(service) == []


def test_a_dry_run_shows_the_diff_and_writes_nothing(paypath: Paypath, service: Path) -> None:
    done = paypath("add", "table", "customer", "--dry-run")

    assert done.returncode == 0
    assert "+    customer_table = CustomerTable(database)\n" in done.stdout
    assert done.stdout.endswith("\nNothing was written.\n")
    assert "\033[" not in done.stdout
    assert _changed(service) == []


def test_json_is_one_object_with_the_diff(paypath: Paypath, service: Path) -> None:
    looked = json.loads(paypath("add", "event", "orders.order.placed", "--json", "--dry-run").stdout)
    done = json.loads(paypath("add", "event", "orders.order.placed", "--json", "--yes").stdout)
    unasked = paypath("remove", "event", "orders.order.placed", "--json")

    assert (looked["written"], done["written"]) == (False, True)
    assert {**looked, "written": True} == done
    assert done["files"]["src/payments/wiring.py"] == "changed"
    assert "+    on_orders_order_placed.listen(" in done["diff"]
    assert (unasked.returncode, unasked.stdout) == (2, "")
    assert len(_changed(service)) == len(done["files"])


def test_what_cannot_be_is_refused_in_one_line(paypath: Paypath, service: Path) -> None:
    for arguments, words in (
        (("add", "webhok", "acme"), 'there is no "webhok"; did you mean "webhook"?'),
        (("add", "table", "select"), "is a word of SQL itself"),
        (("add", "webhook", "acme", "--service", "src"), "is no generated service"),
    ):
        refused = paypath(*arguments, "--yes")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert words in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert _changed(service) == []


@pytest.mark.parametrize(("key", "written"), [("y", True), ("n", False)])
def test_on_a_terminal_it_shows_colours_and_asks(
    service: Path, environment: dict[str, str], key: str, *, written: bool
) -> None:
    with on_a_terminal(
        (*command, "add", "webhook", "acme"), folder=service, environment=environment
    ) as terminal:
        terminal.wait_for("Add webhook acme? [y/N]")
        terminal.type(f"{key}\n")
        code = terminal.end()

    assert code == 0
    assert "\x1b[32m+    secret: " in terminal.raw
    assert ("Added webhook acme" in terminal.screen) is written
    assert ("Nothing was written." in terminal.screen) is not written
    assert bool(_changed(service)) is written


def test_completion_knows_the_pieces_and_what_was_added(
    paypath: Paypath, service: Path, environment: dict[str, str]
) -> None:
    paypath("add", "webhook", "acme", "--yes")

    def completed(words: str) -> str:
        variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        return subprocess.run(
            [sys.executable, "-c", "from paypath.cli import main; main(prog_name='paypath')"],
            cwd=service,
            env={**environment, **variables, "_PAYPATH_COMPLETE": "bash_complete"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    assert completed("paypath add w") == "plain,webhook\n"
    assert completed("paypath remove webhook ") == "plain,acme\n"
