"""`paypath new` as its users meet it: a process, with and without a terminal."""

from __future__ import annotations

import json
import os
import shutil
import signal
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


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the platform as it is now, everything committed; not to be changed."""
    folder = tmp_path_factory.mktemp("checkout") / "paypath"
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=root).split("\0")
    for name in listed:
        top = name.partition("/")[0]
        if (
            top in {"paypath", "platform_lib", "templates", "copier.yml", "pyproject.toml"}
            and (root / name).is_file()
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    git("add", "--all", "--force", folder=folder)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "first", folder=folder)
    return folder


@pytest.fixture
def environment(platform: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user who has just got *platform*, and nothing configured."""
    home = str(tmp_path_factory.mktemp("home"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "COPIER_"))}
    kept.pop("NO_COLOR", None)
    return {**kept, "HOME": home, "XDG_CONFIG_HOME": home, "PYTHONPATH": str(platform)}


@pytest.fixture
def paypath(tmp_path: Path, environment: dict[str, str]) -> Paypath:
    """The command in *tmp_path*, without a terminal."""

    def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *map(str, arguments)],
            cwd=tmp_path,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_service_is_generated_and_the_next_command_is_told(paypath: Paypath, tmp_path: Path) -> None:
    done = paypath(
        "new", "services/card", "--kind", "payment-service", "-d", "service_name=card-payments", "--defaults"
    )

    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first.startswith("card-payments is in services/card: ")
    assert "  package         card_payments" in rows
    assert "  title           Card payments" in rows
    assert rows[-3:] == ["Next:", "  cd services/card", "  make test"]
    assert (tmp_path / "services/card/src/card_payments/__init__.py").is_file()
    assert git("status", "--porcelain", folder=tmp_path / "services/card") == ""
    assert git("log", "--format=%an: %s", folder=tmp_path / "services/card").startswith(
        "Paypath: Generate card-payments from payment-service "
    )


def test_json_is_one_object_on_stdout_and_talk_is_on_stderr(paypath: Paypath, tmp_path: Path) -> None:
    done = paypath("new", "pay", "--json")

    made = json.loads(done.stdout)
    assert done.returncode == 0
    assert made["service"] == "payments"
    assert made["folder"] == str(tmp_path / "pay")
    assert made["answers"]["package"] == "payments"
    assert ".copier-answers.yml" in made["files"]
    assert made["git"]["commit"]
    assert done.stderr == (
        "note: nothing was asked, so these are defaults: "
        "kind=payment-service, service_name=payments, package=payments, title=Payments\n"
    )


def test_without_a_terminal_nothing_is_asked_and_the_defaults_are_told(paypath: Paypath) -> None:
    done = paypath("new", "pay", "--kind", "event-worker", "-d", "package=till")

    assert done.returncode == 0
    assert (
        done.stderr
        == "note: nothing was asked, so these are defaults: service_name=settlements, title=Settlements\n"
    )
    assert "?" not in done.stdout


def test_a_service_in_a_work_tree_is_left_to_it(paypath: Paypath, tmp_path: Path) -> None:
    git("init", "--quiet", folder=tmp_path)

    done = paypath("new", "pay", "--defaults")

    assert f"  git             left to the work tree around it, {tmp_path}" in done.stdout.splitlines()
    assert not (tmp_path / "pay/.git").exists()


def test_git_can_be_left_out(paypath: Paypath, tmp_path: Path) -> None:
    done = paypath("new", "pay", "--defaults", "--no-git")

    assert done.returncode == 0
    assert not (tmp_path / "pay/.git").exists()


def test_the_empty_folder_that_one_stands_in_is_filled(paypath: Paypath, tmp_path: Path) -> None:
    done = paypath("new", ".", "--defaults")

    assert done.returncode == 0
    assert done.stdout.startswith("payments is in .: ")
    assert done.stdout.endswith("\nNext:\n  make test\n")
    assert (tmp_path / "README.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "payment-servic"], 'kind: there is no "payment-servic"; did you mean "payment-service"?'),
        (["-d", "packge=till"], '--data: payment-service asks for no "packge"; did you mean "package"?'),
        (
            ["-d", "package=import"],
            'package: "import" is a word or a module of Python itself; choose another,',
        ),
        (
            ["-d", "service_name=Card Payments"],
            'service_name: "Card Payments" is no service name; give 3 to 40',
        ),
        (["-d", "till"], '--data: "till" is no answer; write NAME=ANSWER'),
        (["--source", "nowhere"], "--source: there is no folder nowhere; name a checkout"),
        (["--ref", "v9.9.9"], "--ref: there is no v9.9.9 in "),
    ],
)
def test_bad_input_gets_one_clear_message_and_nothing_is_written(
    paypath: Paypath, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = paypath("new", "deep/pay", *arguments, "--defaults")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_destination_that_is_not_empty_is_refused(paypath: Paypath, tmp_path: Path) -> None:
    (tmp_path / "pay").mkdir()
    (tmp_path / "pay" / "mine").write_text("mine")

    done = paypath("new", "pay", "--defaults", "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == f"error: {tmp_path}/pay: the folder is not empty; choose another, or empty it first\n"
    )
    assert [path.name for path in tmp_path.rglob("*")] == ["pay", "mine"]


def test_a_source_that_cannot_be_read_is_a_failure(paypath: Paypath, tmp_path: Path) -> None:
    done = paypath("new", "pay", "--defaults", "--source", "http://127.0.0.1:1/paypath.git")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "error: --source: http://127.0.0.1:1/paypath.git cannot be read; git clone: "
    )
    assert not list(tmp_path.iterdir())


def test_uncommitted_template_changes_are_told_and_rendered_only_on_demand(
    platform: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    changed = shutil.copytree(platform, tmp_path / "paypath")
    readme = changed / "templates/payment-service/{{cookiecutter.service_name}}/README.md"
    readme.write_text("# Changed\n")

    def new(name: str, *options: str) -> str:
        done = subprocess.run(
            [*command, "new", name, "--defaults", *options],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(changed)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr

    said = (
        f"note: 1 uncommitted template change is not rendered ({changed}); commit them, or pass --worktree\n"
    )
    assert new("committed") == said
    assert new("as-is", "--worktree") == ""
    assert (tmp_path / "committed/README.md").read_text() != "# Changed\n"
    assert (tmp_path / "as-is/README.md").read_text() == "# Changed\n"


def test_on_a_terminal_the_questions_are_asked(tmp_path: Path, environment: dict[str, str]) -> None:
    """The usual kind and the folder's name are suggested; a wrong answer is told at once."""
    with on_a_terminal([*command, "new", "Card_Till"], folder=tmp_path, environment=environment) as terminal:
        terminal.wait_for("Which kind of service?")
        terminal.wait_for("event-worker: ")
        terminal.type("\r")
        terminal.wait_for("What is the service called?")
        terminal.wait_for("card-till")
        terminal.type("--\r")
        terminal.wait_for("is no service name")
        terminal.type("\x15till-two\r")
        terminal.wait_for("What is its Python package called?")
        terminal.wait_for("till_two")
        terminal.type("\r")
        terminal.wait_for("What do people call it?")
        terminal.type("\x15The till\r")
        assert terminal.end() == 0

    assert "till-two is in Card_Till: " in terminal.screen
    assert "\x1b[32m" in terminal.raw, "a terminal gets colours"
    assert "these are defaults" not in terminal.screen
    assert "The till" in (tmp_path / "Card_Till/.copier-answers.yml").read_text()


def test_what_is_given_is_not_asked(tmp_path: Path, environment: dict[str, str]) -> None:
    given = [part for name in ("service_name=till", "package=till", "title=Till") for part in ("-d", name)]

    with on_a_terminal(
        [*command, "new", "till", "--kind", "payment-service", *given],
        folder=tmp_path,
        environment={**environment, "NO_COLOR": "1"},
    ) as terminal:
        assert terminal.end() == 0

    assert "?" not in terminal.screen
    assert "\x1b[" not in terminal.raw, "NO_COLOR is heard"


def test_leaving_at_a_question_leaves_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    with on_a_terminal([*command, "new", "a/till"], folder=tmp_path, environment=environment) as terminal:
        terminal.wait_for("Which kind of service?")
        terminal.type("\x03")
        assert terminal.end() == 1

    assert "Aborted!" in terminal.screen
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("place", ["a list", "a text"])
def test_a_signal_leaves_nothing(
    tmp_path: Path, environment: dict[str, str], number: signal.Signals, place: str
) -> None:
    with on_a_terminal([*command, "new", "a/till"], folder=tmp_path, environment=environment) as terminal:
        terminal.wait_for("Which kind of service?")
        if place == "a text":
            terminal.type("\r")
            terminal.wait_for("What is the service called?")
        terminal.process.send_signal(number)
        assert terminal.end() in {1, 128 + number}

    assert not list(tmp_path.iterdir())


def test_templates_lists_the_kinds_and_what_they_ask(paypath: Paypath) -> None:
    text = paypath("templates")
    listed = json.loads(paypath("templates", "--json").stdout)

    assert text.stdout.startswith("payment-service  takes card payments over HTTP")
    assert "  service_name    What is the service called?" in text.stdout
    assert [(kind["name"], kind["is_default"]) for kind in listed["kinds"]] == [
        ("payment-service", True),
        ("provider-connector", False),
        ("event-worker", False),
    ]
    assert [question["name"] for question in listed["kinds"][0]["questions"] if question["asked"]] == [
        "service_name",
        "package",
        "title",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(paypath: Paypath, shell: str) -> None:
    done = paypath("completion", shell)

    assert done.returncode == 0
    assert "_PAYPATH_COMPLETE" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_kinds_and_commands_are_completed(paypath: Paypath) -> None:
    def complete(words: str) -> list[str]:
        variables = {
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - (not words.endswith(" "))),
            "_PAYPATH_COMPLETE": "bash_complete",
        }
        return paypath(**variables).stdout.split()

    assert "plain,new" in complete("paypath ")
    assert complete("paypath new x --kind ") == [
        "plain,payment-service",
        "plain,provider-connector",
        "plain,event-worker",
    ]
    assert complete("paypath new x --kind p") == ["plain,payment-service", "plain,provider-connector"]


def test_help_tells_the_exit_codes(paypath: Paypath) -> None:
    for arguments in ([], ["new"], ["templates"], ["completion"]):
        assert "Exit codes: 0" in paypath(*arguments, "--help").stdout


def test_a_wrong_word_is_bad_input(paypath: Paypath) -> None:
    assert paypath("nwe").returncode == 2
    assert paypath("new").returncode == 2
    assert paypath("new", "x", "--colour").returncode == 2


def test_git_is_not_asked_about_each_file(paypath: Paypath, platform: Path, tmp_path: Path) -> None:
    """Plain copier asks once a file, which cost more than all else that `paypath new` adds to it."""
    asked = tmp_path / "asked"
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$*" >> "{asked}"\nexec "{shutil.which("git")}" "$@"\n')
    shim.chmod(0o755)
    path = f"{shim.parent}{os.pathsep}{os.environ['PATH']}"

    done = paypath("new", "till", "--json", "--source", platform, PATH=path)

    files = json.loads(done.stdout)["files"]
    assert len(asked.read_text().splitlines()) < len(files) / 2
