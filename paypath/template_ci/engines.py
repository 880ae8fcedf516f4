"""The two engines as their users run them: processes of their own, without anybody's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from paypath.scaffold.errors import BadInput, ScaffoldError

programs = Path(sys.executable).parent


def require_engines() -> None:
    """Make sure that both engines are installed.

    Raises:
        BadInput: one is not.
    """
    for name in ("copier", "cookiecutter"):
        if find_spec(name) is None:
            raise BadInput(f"{name}: is not installed in {programs.parent}; install it (`make setup`)")


def by_copier(templates: Path, kind: str, answers: Mapping[str, str], room: Path) -> Path:
    """Render with `copier copy` into *room*, and return the service.

    Raises:
        ScaffoldError: copier failed; says what it said.
    """
    made = room / "copier"
    options = ["--quiet", "--defaults", "--data", f"kind={kind}"]
    for name, answer in answers.items():
        options += ["--data", f"{name}={answer}"]
    _run("copier", "copy", *options, str(templates), str(made), room=room)
    return made


def by_cookiecutter(templates: Path, kind: str, answers: Mapping[str, str], room: Path) -> Path:
    """Render with `cookiecutter` into *room*, and return the service.

    Raises:
        ScaffoldError: cookiecutter failed, or made more than one folder.
    """
    into = room / "cookiecutter"
    into.mkdir()
    config = room / "cookiecutter.yml"
    config.write_text(
        f"replay_dir: {room / 'replay'}\ncookiecutters_dir: {room / 'cache'}\n", encoding="utf-8"
    )
    options = ["--no-input", "--config-file", str(config), "--output-dir", str(into)]
    chosen = [f"{name}={answer}" for name, answer in answers.items()]
    _run("cookiecutter", *options, str(templates / "templates" / kind), *chosen, room=room)
    made = list(into.iterdir())
    if len(made) != 1:
        raise ScaffoldError(f"cookiecutter: made {len(made)} folders of {kind}; a kind is one service")
    return made[0]


def _run(program: str, *arguments: str, room: Path) -> None:
    home = room / "home"
    home.mkdir(exist_ok=True)
    own = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    kept = {name: value for name, value in os.environ.items() if name != "COPIER_SETTINGS_PATH"}
    done = subprocess.run(  # noqa: S603  # programs of this environment
        [str(programs / program), *arguments],
        cwd=room,
        env={**kept, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise ScaffoldError(f"{program}: ended with {done.returncode}\n{done.stdout}")
