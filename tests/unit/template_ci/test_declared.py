"""What `templates/ci.yml` can say, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.errors import BadInput, ScaffoldError
from paypath.template_ci.cases import RenderCase, UpgradeCase, all_cases
from paypath.template_ci.declared import parse_declared
from paypath.template_ci.edits import Edit, read_changes

_least = "combinations: {defaults: {}}\nsteps: {lint: ruff check .}\n"


def test_answers_that_are_given_to_all_go_with_each_combination() -> None:
    declared = parse_declared("given: {a: '1', b: '2'}\n" + _least.replace("{}}", "{answers: {b: '3'}}}"))

    assert declared.combinations[0].answers == {"a": "1", "b": "3"}
    assert declared.steps[0].command == ("ruff", "check", ".")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("combinations: [", "ci.yml: no readable YAML"),
        ("[]", "ci.yml: [] is no mapping"),
        ("step: {}", "ci.yml: knows no step; did you mean"),
        ("steps: {lint: ruff}", "declares no combinations, so nothing would be tested"),
        ("combinations: {defaults: {}}", "declares no steps, so nothing would be tested"),
        (_least + "given: {days: 7}", 'given: days: 7 is no text; write it in quotes, as in "7"'),
        (_least + "edits: {one: {kinds: till}}", "edit one: kinds: 'till' is no list of words"),
        (_least.replace("ruff check .", "''"), "step lint: runs nothing"),
        (_least + "edits: {one: {changes: [{writ: a}]}}", "edit one: changes: 1: says 0 of write"),
        (_least + "edits: {one: {changes: [{rename: a}]}}", "changes: 1: rename takes to; say that"),
        (_least + "edits: {one: {changes: [{delete: a, text: b}]}}", "delete takes nothing else"),
    ],
)
def test_what_it_cannot_say_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_declared(text, "ci.yml")

    assert words in str(refused.value)


def test_every_change_is_made_with_the_answers_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\n")
    (tmp_path / "b.py").write_text("two\n")
    (tmp_path / "c.py").write_text("three\n")
    changes = read_changes(
        [
            {"write": "src/{package}/new.py", "text": "import {package}\n"},
            {"append": "a.py", "text": "more\n"},
            {"replace": "b.py", "old": "two", "new": "{package} {other}"},
            {"delete": "c.py"},
            {"rename": "a.py", "to": "tests/{package}.py"},
        ],
        "",
    )

    Edit(name="all", changes=changes).apply(tmp_path, {"package": "till"})

    assert {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.py")} == {
        "src/till/new.py": "import till\n",
        "tests/till.py": "one\nmore\n",
        "b.py": "till {other}\n",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"write": "a.py", "text": "x"}, "edit one: change 1: write a.py: the file is there already"),
        ({"append": "b.py", "text": "x"}, "append b.py: there is no such file"),
        ({"delete": "b.py"}, "delete b.py: there is no such file"),
        ({"replace": "a.py", "old": "1", "new": "x"}, "replace a.py: its text is there 2 times"),
    ],
)
def test_a_change_that_does_not_fit_says_which(tmp_path: Path, change: dict[str, str], words: str) -> None:
    (tmp_path / "a.py").write_text("1 1\n")

    with pytest.raises(ScaffoldError) as refused:
        Edit(name="one", changes=read_changes([change], "")).apply(tmp_path, {})

    assert words in str(refused.value)


def test_cases_are_those_that_fit_kind_and_release() -> None:
    declared = parse_declared(
        "combinations: {first: {kinds: [till]}, second: {}}\nsteps: {lint: ruff}\n"
        "edits: {untouched: {}, tills: {kinds: [till]}, old: {releases: [v1]}}\n"
    )

    cases = all_cases(declared, ["till", "desk"], {"v1": ["till"], "v2": ["till", "desk", "gone"]})

    assert [case.name for case in cases if isinstance(case, RenderCase)] == [
        "till/first",
        "till/second",
        "desk/second",
    ]
    assert [case.name for case in cases if isinstance(case, UpgradeCase)] == [
        "till/v1/untouched",
        "till/v1/tills",
        "till/v1/old",
        "till/v2/untouched",
        "till/v2/tills",
        "desk/v2/untouched",
    ]


def test_a_declaration_for_a_kind_that_there_is_not_is_refused() -> None:
    declared = parse_declared(_least + "edits: {one: {kinds: [shop]}}")

    with pytest.raises(BadInput) as refused:
        all_cases(declared, ["till"], {})

    assert str(refused.value) == "edit one: there is no kind shop; kinds are till"
