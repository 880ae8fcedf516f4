"""`make templates` on a small platform of another company: green where all is well, red where a thing is not.

Two kinds, two releases, checks that cost nothing; the real templates take minutes, too long for every change.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from paypath.scaffold._record import template_hash
from paypath.scaffold.git import git
from paypath.scaffold.upgrade.merges import Objects
from paypath.template_ci import UpgradeCase, making
from paypath.template_ci.declared import parse_declared
from paypath.template_ci.making import Place, make
from paypath.template_ci.steps import Places
from paypath.template_ci.trees import stored
from tests.templates.engines import commit, repository

_copier = """\
_min_copier_version: "9.19"
_templates_suffix: ""
_subdirectory: "templates/{{ kind }}/{% raw %}{{cookiecutter.name}}{% endraw %}"
_skip_if_exists: [/README.md]
kind:
  type: str
  default: till
  choices: {"till: takes money": till, "desk: answers": desk}
name: {type: str, default: shop}
---
cookiecutter:
  type: json
  when: false
  default: >-
    {{ dict(_copier_answers, _commit=_copier_answers._commit | default("v0.2.0"), _kind=kind) | to_json }}
"""
_cookiecutter = '{"name": "shop", "_commit": "v0.2.0", "_kind": "%s"}\n'
_answers = """\
_commit: "{{ cookiecutter._commit }}"
_src_path: ../acme
kind: {{ cookiecutter._kind }}
name: {{ cookiecutter.name }}
"""
_ownership = 'platform = [".copier-answers.yml"]\nseeded = ["README.md"]\nteam = ["main.py"]\n'
_main = 'NAME = "{{ cookiecutter.name }}"\nFIRST = 1\nSECOND = 2\nTHIRD = 3\nFOURTH = 4\nLAST = 5\n'
_ci = """\
combinations:
  defaults: {}
  long: {answers: {name: a-rather-long-name}}
  the same again: {answers: {name: shop}}
unchecked: [README.md, .copier-answers.yml, .paypath]
steps:
  lint: ruff check --no-cache --isolated .
  types: {run: python -m compileall -q ., one_at_a_time: true}
  tests: python main.py
edits:
  untouched: {}
  a file of its own:
    changes:
      - write: ours.py
        text: |
          ours = 1
      - append: README.md
        text: |
          Ours.
  the end of main:
    kinds: [till]
    changes:
      - replace: main.py
        old: LAST = 5
        new: LAST = 6
    after: ['python -c "open(''{name}.txt'', ''w'').write(''after'')"']
  the line that the template changes:
    kinds: [till]
    releases: [v0.1.0]
    changes:
      - replace: main.py
        old: FIRST = 1
        new: FIRST = 11
    conflicts: {v0.1.0: [main.py]}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended."""

    code: int
    said: str
    errors: str
    report: dict[str, Any]
    folder: Path

    def red(self) -> dict[str, list[str]]:
        """Return the steps that failed, by case."""
        found = {
            case["name"]: [step["step"] for step in case["steps"] if not step["passed"]]
            for case in self.report["cases"]
        }
        return {name: steps for name, steps in found.items() if steps}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A platform with a kind in its first release, two in the second, and a commit since; it has no tags."""
    folder = repository(_write(tmp_path_factory.mktemp("platform") / "acme", "till", _main))
    _record(folder, "0.1.0")
    _write(folder, "desk", _main)
    _rewrite(folder, "till", "FIRST = 1", "FIRST = 100")
    commit(folder, "second")
    _record(folder, "0.2.0")
    _rewrite(folder, "till", "SECOND = 2", "SECOND = 200")
    commit(folder, "third")
    return folder


@pytest.fixture
def checkout(acme: Path, tmp_path: Path) -> Path:
    """A clone of it that a test may change."""
    git("clone", "--quiet", str(acme), str(tmp_path / "acme"), folder=tmp_path)
    return tmp_path / "acme"


def _write(folder: Path, kind: str, main: str) -> Path:
    files = {
        "copier.yml": _copier,
        "templates/ci.yml": _ci,
        f"templates/{kind}/cookiecutter.json": _cookiecutter % kind,
        f"templates/{kind}/{{{{cookiecutter.name}}}}/.copier-answers.yml": _answers,
        f"templates/{kind}/{{{{cookiecutter.name}}}}/.paypath/ownership.toml": _ownership,
        f"templates/{kind}/{{{{cookiecutter.name}}}}/README.md": "# {{ cookiecutter.name }}\n",
        f"templates/{kind}/{{{{cookiecutter.name}}}}/main.py": main,
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def _file(folder: Path, kind: str, name: str = "main.py") -> Path:
    return folder / "templates" / kind / "{{cookiecutter.name}}" / name


def _rewrite(folder: Path, kind: str, old: str, new: str) -> None:
    file = _file(folder, kind)
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def _record(folder: Path, version: str) -> None:
    record = folder / "templates/releases.json"
    known = json.loads(record.read_text())["releases"] if record.exists() else []
    head = git("rev-parse", "HEAD", folder=folder).strip()
    entry = {
        "version": version,
        "commit": head,
        "template_hash": template_hash(folder, head),
        "date": "2026-01-01",
    }
    record.write_text(json.dumps({"releases": [*known, entry]}))
    commit(folder, f"Record {version}")


def _run(checkout: Path, *options: str) -> Run:
    folder = checkout.parent / "report"
    done = subprocess.run(
        [sys.executable, "-m", "paypath.template_ci", "--source", checkout, "--report", folder, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    file = folder / "report.json"
    report = json.loads(file.read_text()) if file.exists() else {}
    return Run(done.returncode, done.stdout, done.stderr, report, folder)


def test_every_render_and_every_upgrade_is_run_and_each_distinct_tree_once(checkout: Path) -> None:
    """Releases are the recorded ones, with the kinds that each had; no tag is needed."""
    status = git("status", "--porcelain", folder=checkout)

    run = _run(checkout)

    assert run.code == 0, run.said + run.errors
    assert [case["name"] for case in run.report["cases"]] == [
        *(f"{kind}/{name}" for kind in ("till", "desk") for name in ("defaults", "long", "the same again")),
        "till/v0.1.0/untouched",
        "till/v0.1.0/a file of its own",
        "till/v0.1.0/the end of main",
        "till/v0.1.0/the line that the template changes",
        "till/v0.2.0/untouched",
        "till/v0.2.0/a file of its own",
        "till/v0.2.0/the end of main",
        "desk/v0.2.0/untouched",
        "desk/v0.2.0/a file of its own",
    ]
    by_name = {case["name"]: case for case in run.report["cases"]}
    conflict = by_name["till/v0.1.0/the line that the template changes"]
    assert (conflict["state"], conflict["conflicts"]) == ("conflict", ["main.py"])
    assert [step["step"] for step in conflict["steps"]] == ["upgrade"]
    assert ", then: python -c" in by_name["till/v0.1.0/the end of main"]["note"]
    again = by_name["till/the same again"]
    assert [step["same_as"] for step in again["steps"]] == [None, *["till/defaults"] * 3]
    assert run.report["counts"] == {
        "green": 14, "conflict": 1, "red": 0, "trees": run.report["times"]["lint"]["runs"]
    }  # fmt: skip
    assert git("status", "--porcelain", folder=checkout) == status


def test_services_that_differ_in_what_no_check_reads_are_checked_once(checkout: Path) -> None:
    """An untouched service differs from a fresh one in the version that it names and in its seeded README."""
    _file(checkout, "desk", "README.md").write_text("# Another title\n")

    run = _run(checkout, "--worktree", "--kind", "desk", "--only", "desk/d", "--only", "untouched")

    assert run.code == 0, run.said + run.errors
    fresh, untouched = run.report["cases"]
    assert fresh["tree"] == untouched["tree"]
    assert {step["runs"] for name, step in run.report["times"].items() if name in {"lint", "tests"}} == {1}


def test_a_check_that_reads_what_is_declared_unchecked_does_not_find_it(checkout: Path) -> None:
    declared = checkout / "templates/ci.yml"
    declared.write_text(declared.read_text().replace("python main.py", "cat main.py README.md"))

    run = _run(checkout, "--worktree", "--only", "desk/defaults")

    assert run.red() == {"desk/defaults": ["tests"]}


def test_the_report_is_a_page_that_needs_no_network(checkout: Path) -> None:
    run = _run(checkout, "--kind", "desk", "--step", "tests")

    page = (run.folder / "index.html").read_text()
    assert "http" not in page
    assert "<script" not in page
    for case in run.report["cases"]:
        for step in case["steps"]:
            assert (run.folder / step["log"]).is_file()
            assert step["log"] in page
    assert "A part only: 5 cases were selected." in page
    head = git("rev-parse", "HEAD", folder=checkout).strip()
    assert head in page
    assert {"python", "git", "copier", "cookiecutter", "ruff", "mypy", "pytest"} <= set(
        run.report["versions"]
    )
    assert run.report["target"]["releases"] == ["v0.1.0", "v0.2.0"]


@pytest.mark.parametrize(
    ("main", "step", "word"),
    [
        (f"import os\n{_main}", "lint", "F401"),
        (f"{_main}def f(:\n", "types", "SyntaxError"),
        (f"{_main}assert len(NAME) < 10\n", "tests", "AssertionError"),
    ],
    ids=["lint", "types", "tests"],
)
def test_what_a_check_finds_is_red_and_names_kind_answers_and_step(
    checkout: Path, main: str, step: str, word: str
) -> None:
    _file(checkout, "desk").write_text(main)
    only = [] if step == "tests" else ["--only", "desk/long"]

    run = _run(checkout, "--worktree", "--kind", "desk", "--only", "desk/d", "--only", "desk/l", *only)

    assert run.code == 1
    assert step in run.red()["desk/long"]
    if step == "tests":
        assert "desk/defaults" not in run.red(), "only the long name is too long"
    assert f"desk/long: red: {', '.join(run.red()['desk/long'])}" in run.said
    [log] = [
        one["log"]
        for case in run.report["cases"]
        for one in case["steps"]
        if (case["name"], one["step"]) == ("desk/long", step)
    ]
    assert word in (run.folder / log).read_text()
    page = (run.folder / "index.html").read_text()
    assert f'<h3 id="desk/long-{step}">' in page
    assert f'href="#desk/long-{step}"' in page
    assert word in page


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("words", "bytes differ"),
        ("mode", "by copier"),
        ("file", "only copier has it"),
    ],
)
def test_engines_that_differ_are_red(checkout: Path, change: str, word: str) -> None:
    if change == "words":
        (checkout / "templates/desk/cookiecutter.json").write_text(
            _cookiecutter.replace("v0.2.0", "v9") % "desk"
        )
    elif change == "file":
        empty = "{% if cookiecutter._template is defined %}{% else %}only.txt{% endif %}"
        _file(checkout, "desk", empty).write_text("one\n")
    else:
        hooks = checkout / "templates/desk/hooks"
        hooks.mkdir()
        (hooks / "post_gen_project.sh").write_text("#!/bin/sh\nchmod 755 main.py\n")

    run = _run(checkout, "--worktree", "--only", "desk/defaults", "--step", "tests")

    assert run.red() == {"desk/defaults": ["engines"]}, run.said + run.errors
    assert run.code == 1
    assert word in run.said


def test_a_conflict_that_nobody_declared_is_red_and_shows_the_sides(checkout: Path) -> None:
    _rewrite(checkout, "till", "LAST = 5", "LAST = 500")

    run = _run(checkout, "--worktree", "--only", "the end of main", "--step", "tests")

    assert run.red() == {
        "till/v0.1.0/the end of main": ["upgrade"],
        "till/v0.2.0/the end of main": ["upgrade"],
    }
    assert "main.py: a conflict that nobody declared" in run.said
    assert "LAST = 500" in run.said
    assert "LAST = 6" in run.said


def test_a_line_of_the_team_that_a_merge_loses_is_red(
    acme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No merge of ours does; so this one is made to."""

    def careless(objects: Objects, tree: str) -> dict[str, bytes]:
        return {path: content.replace(b"Ours.\n", b"") for path, content in stored(objects, tree).items()}

    head = git("rev-parse", "HEAD", folder=acme).strip()
    [edit] = [edit for edit in parse_declared(_ci).edits if edit.name == "a file of its own"]
    case = UpgradeCase(kind="till", release="v0.1.0", edit=edit, answers={})
    places = [
        Place(
            templates=acme,
            repository=acme,
            commit=head,
            cache=tmp_path / "cache",
            folder=tmp_path / name,
            checks=Places(caches=tmp_path, scratch=tmp_path),
        )
        for name in ("careful", "careless")
    ]

    careful = make(case, places[0])
    monkeypatch.setattr(making, "stored", careless)
    lost = make(case, places[1])

    assert careful.complaints == ()
    assert lost.complaints == ("README.md: lost the team's line: Ours.",)


def test_a_declared_conflict_that_does_not_come_is_red(checkout: Path) -> None:
    _rewrite(checkout, "till", "FIRST = 100\nSECOND = 200", "FIRST = 1\nSECOND = 2")

    run = _run(checkout, "--worktree", "--only", "the line that the template changes", "--step", "tests")

    assert run.red() == {"till/v0.1.0/the line that the template changes": ["upgrade"]}
    assert "main.py: a conflict is declared and there is none" in run.said


def test_an_edit_that_does_not_fit_a_release_is_red(checkout: Path) -> None:
    ci = checkout / "templates/ci.yml"
    ci.write_text(ci.read_text().replace("old: LAST = 5", "old: LAST = 7"))

    run = _run(checkout, "--worktree", "--only", "v0.2.0/the end of main")

    assert run.red() == {"till/v0.2.0/the end of main": ["upgrade"]}
    assert "replace main.py: its text is there 0 times" in run.said


def test_what_has_to_be_run_after_an_upgrade_and_fails_is_red(checkout: Path) -> None:
    ci = checkout / "templates/ci.yml"
    ci.write_text(ci.read_text().replace("open(", "no_such("))

    run = _run(checkout, "--worktree", "--only", "v0.2.0/the end of main")

    assert run.red() == {"till/v0.2.0/the end of main": ["upgrade"]}
    assert "NameError" in run.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_ends_with_all_that_it_started(
    checkout: Path, tmp_path: Path, number: signal.Signals
) -> None:
    begun = tmp_path / "begun"
    _file(checkout, "desk").write_text(f"import time\n\nopen({str(begun)!r}, 'w').close()\ntime.sleep(600)\n")
    command = (sys.executable, "-m", "paypath.template_ci", "--source", checkout, "--worktree")
    options = ("--only", "desk/defaults", "--step", "tests", "--report", tmp_path / "report")
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, env=_scratch(tmp_path)) as run:
        while not begun.exists():
            assert run.poll() is None
            time.sleep(0.05)
        children = psutil.Process(run.pid).children(recursive=True)

        run.send_signal(number)
        run.wait()

    assert run.returncode == 128 + number
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert (len(gone), alive) == (len(children), [])
    assert list((tmp_path / "scratch").iterdir()) == []


def _scratch(folder: Path) -> dict[str, str]:
    (folder / "scratch").mkdir()
    return {**os.environ, "TMPDIR": str(folder / "scratch")}


def test_uncommitted_templates_are_tested_only_when_asked_for(checkout: Path) -> None:
    _file(checkout, "desk").write_text("raise SystemExit(3)\n")

    without = _run(checkout, "--only", "desk/defaults", "--step", "tests")
    with_them = _run(checkout, "--only", "desk/defaults", "--step", "tests", "--worktree")

    assert (without.code, with_them.code) == (0, 1)
    assert "uncommitted template changes, 1, are not tested; pass --worktree" in without.errors


def test_any_commit_can_be_upgraded_from(checkout: Path) -> None:
    before = git("rev-parse", "HEAD~1", folder=checkout).strip()

    run = _run(checkout, "--from", before, "--only", f"till/{before}/untouched", "--step", "tests", "--json")

    assert run.code == 0, run.said + run.errors
    assert json.loads(run.said) == run.report
    assert run.errors == ""
    [case] = run.report["cases"]
    assert (case["release"], case["state"]) == (before, "green")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--kind", "shop"), "--kind: there is no shop; kinds are till, desk"),
        (("--only", "nothing"), "--only: no case is called like nothing"),
        (("--step", "spelling"), "--step: there is no spelling; steps are lint, types, tests"),
    ],
)
def test_a_selection_of_nothing_is_refused(checkout: Path, options: tuple[str, ...], words: str) -> None:
    run = _run(checkout, *options)

    assert run.code == 2
    assert words in run.errors


def test_a_shallow_clone_is_refused(checkout: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--depth", "1", f"file://{checkout}", str(tmp_path / "shallow"), folder=tmp_path)

    run = _run(tmp_path / "shallow")

    assert run.code == 2
    assert "this clone is shallow and lacks releases; `git fetch --unshallow` first" in run.errors
