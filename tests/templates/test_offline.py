"""A wheel and no network: upgrade, doctor, adopt and fleets by what the tool carries."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from paypath.scaffold.git import git
from paypath.template_ci.trees import tree
from tests.templates.engines import commit
from tests.templates.test_release import (
    Platform,
    _offline,
    _url,
    installed,
    platform,
    without_tags,
)

__all__ = ["installed", "platform", "without_tags"]  # fixtures
Paypath = Callable[..., subprocess.CompletedProcess[str]]
_said = "note: read from what paypath {} carries; --online looks for newer releases\n"


@pytest.fixture
def paypath(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paypath:
    """Run the installed tool where no network is, with caches and a home of this test."""
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PAYPATH_CACHE"):
        monkeypatch.setenv(variable, str(home))

    def run(*arguments: str | Path, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return _offline(installed, "-m", "paypath", *arguments, folder=folder)

    return run


@pytest.fixture
def service(platform: Platform, paypath: Paypath, tmp_path: Path) -> Path:
    """A service of the first release whose team has worked on it."""
    made = paypath("new", "payments", "--defaults", "--ref", f"v{platform.versions[0]}")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "payments"
    (folder / "docs/team.md").write_text("# Our own page\n")
    commit(folder, "Ours")
    return folder


def _made(service: Path, branch: str) -> dict[str, tuple[int, bytes]]:
    folder = service.with_name(f"{service.name}-upgraded")
    git("clone", "--quiet", "--branch", branch, str(service), str(folder), folder=service.parent)
    return tree(folder)


def test_an_upgrade_without_a_network_is_the_one_that_the_repository_makes(
    platform: Platform,
    without_tags: Path,
    paypath: Paypath,
    service: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planned and made from the wheel, and from the repository at the URL that the answers name."""
    old, new = (f"v{version}" for version in platform.versions)
    other = tmp_path / "online" / "payments"
    shutil.copytree(service, other, symlinks=True)

    planned = paypath("upgrade", "--plan", folder=service)
    made = paypath("upgrade", "--no-tests", "--json", folder=service)
    cut = paypath("upgrade", "--plan", "--online", folder=other)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{without_tags}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", _url)
    online = paypath("upgrade", "--no-tests", "--online", "--json", folder=other)

    assert planned.returncode == 2, planned.stderr
    assert planned.stdout.startswith(f"payments: {old} → {new}\n\nWhat changed:\n")
    assert "- A line in the README." in planned.stdout
    assert planned.stderr == _said.format(platform.versions[1])
    assert (made.returncode, online.returncode) == (0, 0), made.stderr + online.stderr
    assert (cut.returncode, "the template cannot be read from there" in cut.stderr) == (1, True)
    offline_document, online_document = json.loads(made.stdout), json.loads(online.stdout)
    assert offline_document["carried_by"] == platform.versions[1]
    assert online_document["carried_by"] is None
    assert _files(offline_document) == _files(online_document)
    upgraded = _made(service, f"paypath/upgrade-{new}")
    assert upgraded == _made(other, f"paypath/upgrade-{new}")
    answers = upgraded[".copier-answers.yml"][1].decode()
    assert f'_commit: "{new}"' in answers
    assert f'_src_path: "{_url}"' in answers
    assert f"paypath[service]~={platform.versions[1]}".encode() in upgraded["pyproject.toml"][1]
    assert upgraded["docs/team.md"][1] == b"# Our own page\n"


def _files(document: dict[str, object]) -> object:
    return document["files"], document["counts"], document["changelog"], document["answers"]


def test_doctor_and_adopt_need_no_network(platform: Platform, paypath: Paypath, service: Path) -> None:
    examined = paypath("doctor", "--json", folder=service)
    git("rm", "--quiet", ".copier-answers.yml", folder=service)
    commit(service, "Forget")
    adopted = paypath("adopt", "--yes", "--json", folder=service)

    findings = {finding["id"]: finding for finding in json.loads(examined.stdout)["findings"]}
    assert findings["carried"]["severity"] == "note"
    assert "source-unreachable" not in findings
    assert adopted.returncode == 0, adopted.stderr
    found = json.loads(adopted.stdout)
    assert (found["version"], found["source"]) == (f"v{platform.versions[0]}", _url)
    assert found["carried_by"] == platform.versions[1]


def test_a_fleet_needs_no_network(
    platform: Platform, paypath: Paypath, service: Path, tmp_path: Path
) -> None:
    services = [service, tmp_path / "others" / "refunds"]
    shutil.copytree(service, services[1], symlinks=True)

    planned = paypath("fleet", "plan", *services)
    made = paypath("fleet", "apply", *services, "--run", "run", "--no-tests", "--jobs", "2")

    assert planned.returncode == 2, planned.stderr
    assert planned.stdout.endswith("2 ready\n")
    assert planned.stderr.endswith(_said.format(platform.versions[1]))
    assert made.returncode == 0, made.stderr
    report = paypath("fleet", "report", "run", "--json")
    outcomes = json.loads(report.stdout)["services"]
    assert [outcome["state"] for outcome in outcomes] == ["upgraded", "upgraded"]
    assert {outcome["carried_by"] for outcome in outcomes} == {platform.versions[1]}
    for place in services:
        assert git("branch", "--list", "paypath/*", folder=place).split()[-1] == (
            f"paypath/upgrade-v{platform.versions[1]}"
        )
