"""The last step of an upgrade with the service's real tools: ruff from its environment, uv and its Makefile.

Dependencies come from a folder of wheels that hold nothing but their names, so no network is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from paypath.scaffold import new
from paypath.scaffold._record import record_file
from paypath.scaffold.git import git
from paypath.scaffold.upgrade import UpgradeError, Wishes, upgrade_run
from paypath.template_ci.trees import tree
from tests.templates.engines import commit, run
from tests.templates.matrix import root

_branch = "paypath/upgrade-v0.2.0"
_pyproject = "templates/shared/pyproject.toml"
_ours = '''\
"""Ours."""

from __future__ import annotations

from aiohttp import web
from platform_lib.clients import http_client

client = http_client("a-peer-of-ours", some_setting="a value that is long", other_setting="another of these", n=1)
app = web
'''  # noqa: E501  # too long on purpose
_formatted = '''\
"""Ours."""

from __future__ import annotations

from aiohttp import web
from platform_lib.clients.peers_of_the_service import http_client

client = http_client(
    "a-peer-of-ours", a_setting_of_the_peer="a value that is long", other_setting="another of these", n=1
)
app = web
'''
_migrations = """\
- id: peers
  why: Clients have a module of their own.
  imports: {platform_lib.clients.http_client: platform_lib.clients.peers_of_the_service.http_client}
- id: settings
  why: A setting says whose it is.
  arguments:
    platform_lib.clients.peers_of_the_service.http_client: {some_setting: a_setting_of_the_peer}
"""


def _tool(name: str) -> str:
    places = (os.environ["PATH"], str(Path(sys.executable).parent), str(root / ".paypath/tools/bin"))
    found = shutil.which(name, path=os.pathsep.join(places))
    assert found is not None, f"{name}: run `make setup`"
    return found


@pytest.fixture
def service(checkout: Path, tmp_path: Path) -> Path:
    """A service with real ruff and uv in its environment, and a template whose next version needs more."""
    (checkout / record_file).unlink(missing_ok=True)  # its releases are others
    (checkout / "pyproject.toml").write_text((root / "pyproject.toml").read_text())
    commit(checkout, "With the library's requirements")
    git("tag", "v0.1.0", folder=checkout)
    folder = new(tmp_path / "services/payments", source=str(checkout), ref="v0.1.0").folder
    (folder / ".venv/bin").mkdir(parents=True)
    for name in ("ruff", "uv", "python"):
        (folder / ".venv/bin" / name).symlink_to(_tool(name))
    (folder / "src/payments/ours.py").write_text(_ours)
    _require(folder / "pyproject.toml", "team-thing>=3")
    commit_ours(folder)
    _require(checkout / _pyproject, "platform-thing>=4", last=True)
    (checkout / "templates/migrations.yml").write_text(_migrations)
    commit(checkout, "Next")
    git("tag", "v0.2.0", folder=checkout)
    return folder


def commit_ours(folder: Path) -> None:
    git("add", "--all", folder=folder)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "Ours", folder=folder)


def _require(pyproject: Path, requirement: str, *, last: bool = False) -> None:
    text = pyproject.read_text()
    start = text.index("\ndependencies = [\n") + len("\ndependencies = [\n")
    place = text.index("]\n\n", start) if last else start
    pyproject.write_text(f'{text[:place]}    "{requirement}",\n{text[place:]}')


@pytest.fixture
def wheels(service: Path, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that uv may choose from: each requirement at its lowest version."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    projects = [tomllib.loads((place / "pyproject.toml").read_text()) for place in (service, checkout)]
    for requirement in {*_requirements(projects), "team-thing>=3", "platform-thing>=4"}:
        _wheel(folder, Requirement(requirement))
    # The machine has no uv of its own, and there is nothing else to ask.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


def _requirements(projects: Iterable[dict[str, dict[str, object]]]) -> Iterable[str]:
    for project in projects:
        about = project["project"]
        extras = about.get("optional-dependencies", {})
        assert isinstance(extras, dict)
        for listed in (about["dependencies"], *extras.values()):
            assert isinstance(listed, list)
            yield from (entry for entry in listed if not entry.startswith("paypath"))


def _wheel(folder: Path, requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name).replace("-", "_")
    [version] = [each.version for each in requirement.specifier]
    about = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {requirement.name}\nVersion: {version}\n"
    metadata += "".join(f"Provides-Extra: {extra}\n" for extra in requirement.extras)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as out:
        out.writestr(f"{about}/METADATA", metadata)
        out.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr(f"{about}/RECORD", "")


def test_files_that_codemods_changed_get_the_services_form(service: Path, tmp_path: Path) -> None:
    """Line length and order of imports are as its pyproject.toml has them; other files stay as they are."""
    with upgrade_run(tmp_path / "cache") as upgrades:
        made = upgrades.apply(upgrades.plan(service), Wishes(test=False))

    assert [step.name for step in made.steps] == ["merge", "peers", "settings", "lock and format"]
    assert git("show", f"{_branch}:src/payments/ours.py", folder=service) == _formatted
    touched = git("show", "--name-only", "--format=", _branch, folder=service).split()
    assert touched == ["src/payments/ours.py"]
    assert made.notes == (
        "both sides changed dependencies; run `make lock` on the branch, or upgrade with --lock",
    )
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--branch", _branch, str(service), str(clone), folder=tmp_path)
    run(_tool("ruff"), "format", "--check", "src/payments/ours.py", folder=clone)
    run(_tool("ruff"), "check", "--select", "I", "src/payments/ours.py", folder=clone)


@pytest.mark.usefixtures("wheels")
def test_lock_chooses_what_both_sides_need_and_touches_nothing_else(service: Path, tmp_path: Path) -> None:
    before = tree(service)

    with upgrade_run(tmp_path / "cache") as upgrades:
        made = upgrades.apply(upgrades.plan(service), Wishes(test=False, lock=True))

    assert made.notes == ()
    assert tree(service) == before
    touched = git("show", "--name-only", "--format=", _branch, folder=service).split()
    assert touched == ["requirements-image.lock", "requirements.lock", "src/payments/ours.py"]
    for lock in touched[:2]:
        text = git("show", f"{_branch}:{lock}", folder=service)
        assert "\nteam-thing==3 \\\n    --hash=sha256:" in text
        assert "\nplatform-thing==4 \\\n    --hash=sha256:" in text
    assert "\nruff==" in git("show", f"{_branch}:requirements.lock", folder=service)
    assert "\nruff==" not in git("show", f"{_branch}:requirements-image.lock", folder=service)


def test_a_lock_that_cannot_be_made_changes_nothing_and_says_what_lacks(
    service: Path, wheels: Path, tmp_path: Path
) -> None:
    next(wheels.glob("platform_thing-*")).unlink()
    before = tree(service), git("for-each-ref", folder=service)

    with (
        upgrade_run(tmp_path / "cache") as upgrades,
        pytest.raises(UpgradeError, match=r"^make lock: .*platform-thing.*; nothing was changed"),
    ):
        upgrades.apply(upgrades.plan(service), Wishes(test=False, lock=True))

    assert (tree(service), git("for-each-ref", folder=service)) == before


def test_a_lock_with_the_command_is_the_same(service: Path, wheels: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("paypath"), "upgrade", "--no-tests", "--lock"],
        cwd=service,
        env={**os.environ, "PAYPATH_CACHE": str(tmp_path), "MAKEFLAGS": "w", "UV_FIND_LINKS": str(wheels)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "lock and format" in done.stdout
