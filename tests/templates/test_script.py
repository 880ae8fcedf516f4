"""The script of the how-to for scripts, as it stands there, and what it costs to import the API."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from paypath.scaffold.git import git
from tests.templates.engines import commit, run
from tests.templates.matrix import root
from tests.templates.versions import raise_version, written_version

_page = root / "docs/howto/script-the-tool.md"


def test_the_script_does_what_the_page_says(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYPATH_CACHE", str(tmp_path / "cache"))
    first = written_version(checkout)
    git("tag", first, folder=checkout)
    for kind in ("payment-service", "event-worker"):
        rendered = checkout / "templates" / kind / "{{cookiecutter.service_name}}"
        (rendered / "docs/new.md").write_text("# New\n")
    second = raise_version(checkout)
    commit(checkout, "second")
    git("tag", second, folder=checkout)
    page = _page.read_text(encoding="utf-8")
    [script] = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    [shown] = re.findall(
        r"^```console\n\$ python script\.py [^\n]*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    )
    (tmp_path / "script.py").write_text(script, encoding="utf-8")

    done = run(sys.executable, "script.py", checkout, tmp_path / "work", folder=tmp_path)

    # A template in a folder is a warning of the doctor's, and one at a URL is none.
    told = [line for line in done.stdout.splitlines() if not line.startswith("warning: ")]
    versions = {"v0.1.0": first, "v0.2.0": second}  # the page speaks of the first two releases
    assert told == re.sub(r"v0\.[12]\.0", lambda found: versions[found[0]], shown).splitlines()
    for name in ("payments", "settlements"):
        service = tmp_path / "work/services" / name
        assert git("show", f"paypath/upgrade-{second}:docs/new.md", folder=service) == "# New\n"
    assert git("status", "--porcelain", folder=tmp_path / "work/services/payments") == ""


def test_what_is_wrong_is_the_last_line_and_no_traceback(tmp_path: Path) -> None:
    [script] = re.findall(r"^```python\n(.*?)^```$", _page.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "script.py").write_text(script, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "script.py", str(tmp_path / "nowhere"), str(tmp_path / "work")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("--source: there is no folder ")


def test_packages_of_the_api_are_loaded_when_they_are_named() -> None:
    code = """
import sys, paypath.scaffold as scaffold
parts = ("upgrade", "fleet", "pieces")
assert not [name for name in parts if f"paypath.scaffold.{name}" in sys.modules]
assert scaffold.upgrade.upgrade_run and scaffold.fleet.apply_fleet and scaffold.pieces.plan_add
assert callable(scaffold.releases) and callable(scaffold.ownership)
try:
    scaffold.upgrades
except AttributeError as error:
    print(error)
"""
    done = run(sys.executable, "-c", code, folder=root)

    assert done.stdout == "module 'paypath.scaffold' has no attribute 'upgrades'\n"
