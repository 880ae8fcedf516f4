"""The tool on one service: generating it, and starting at all."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from clock import milliseconds, ratio, timed, together

tools = Path(sys.executable).parent
commit = (
    "git",
    "-c",
    "user.name=bench",
    "-c",
    "user.email=bench@localhost",
    "-C",
    "made",
    "commit",
    "--quiet",
)


def news(folder: Path, source: Path, rounds: int) -> dict[str, float]:
    """Generate with each tool in turn."""
    (folder / "cookiecutter.yml").write_text(
        f"replay_dir: {folder / 'replay'}\ncookiecutters_dir: {folder / 'cache'}\n", encoding="utf-8"
    )
    copier = ("--quiet", "--defaults", "--data", "kind=payment-service")
    cookiecutter = ("--no-input", "--config-file", folder / "cookiecutter.yml")
    # What their users type next; `paypath new` does it by itself.
    with_git = [
        ["git", "-C", "made", "init", "--quiet"],
        ["git", "-C", "made", "add", "--all"],
        [*commit, "--message", "Generate"],
    ]
    generate = {
        "paypath": [[tools / "paypath", "new", "made", "--defaults", "--source", source]],
        "copier": [[tools / "copier", "copy", *copier, source, "made"], *with_git],
        "cookiecutter": [
            [
                *(tools / "cookiecutter", *cookiecutter, source / "templates" / "payment-service"),
                "service_name=made",
            ],
            *with_git,
        ],
    }
    took: dict[str, list[float]] = {name: [] for name in generate}
    for number in range(rounds + 1):
        for name, commands in generate.items():
            seconds = together(*commands, folder=folder)
            shutil.rmtree(folder / "made")
            if number:  # the first warms up
                took[name].append(seconds)
    print("new: " + ", ".join(f"{name} {milliseconds(each):.0f} ms" for name, each in took.items()))
    return {
        "new_vs_cookiecutter": ratio(took["paypath"], took["cookiecutter"]),
        "new_vs_copier": ratio(took["paypath"], took["copier"]),
        "new_ms": milliseconds(took["paypath"]),
    }


def starts(folder: Path, rounds: int) -> dict[str, float]:
    """Start the command for what it answers at once."""
    paypath = [tools / "paypath"]
    asked = {
        "python_ms": ([sys.executable, "-c", "pass"], None),
        "cli_start_ms": ([*paypath, "--version"], None),
        "completion_ms": (paypath, completion("paypath ")),
        "completion_option_ms": (paypath, completion("paypath new --")),
        "completion_kind_ms": (paypath, completion("paypath new --kind ")),
    }
    took: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(rounds + 1):
        for name, (command, variables) in asked.items():
            seconds = timed(command, folder, variables).wall
            if number:
                took[name].append(seconds)
    found = {name: milliseconds(each) for name, each in took.items()}
    print("starts: " + ", ".join(f"{name} {value:.0f}" for name, value in found.items()))
    return found


def completion(typed: str) -> dict[str, str]:
    """Return the variables by which bash asks what may follow *typed*."""
    return {
        "_PAYPATH_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
