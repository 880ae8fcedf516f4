"""A fourth kind, added to a copy of the repository exactly as docs/howto/add-a-kind.md says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from paypath.scaffold import kinds, new, ownership
from paypath.template_ci.trees import tree
from tests.templates.engines import commit, cookiecutter, copier, run
from tests.templates.matrix import root

_howto = root / "docs/howto/add-a-kind.md"
_tree = "templates/chargeback-desk/{{cookiecutter.service_name}}"


def _blocks() -> list[tuple[str, str]]:
    """Return what the page says, in order: a path and its text, or ``console`` and the commands."""
    blocks = re.findall(r"^```(\w+)(?: *\n|\n)(.*?)^```$", _howto.read_text(), re.MULTILINE | re.DOTALL)
    return [(language, text) for language, text in blocks]


def _follow(checkout: Path) -> None:
    """Do what the page says: run its commands, write its files, put its lines where it says they go."""
    for language, text in _blocks():
        first, _, rest = text.partition("\n")
        if language == "console":
            for line in text.splitlines():
                if line.startswith("$ ") and not line.startswith(("$ make", "$ .venv")):
                    run("sh", "-euc", line[2:], folder=checkout)
        elif place := re.match(r"(?:#|--|//) add to (\S+), after: (.*)$", first):
            file = checkout / place[1]
            if not file.exists():  # the fixture holds the templates alone
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / place[1], file)
            [anchor] = [line for line in file.read_text().splitlines() if place[2] in line]
            file.write_text(file.read_text().replace(anchor, f"{anchor}\n{rest.rstrip()}", 1))
        elif place := re.match(r"(?:#|--|//) (templates/.*)$", first):
            file = checkout / place[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rest)


@pytest.fixture
def with_a_fourth_kind(checkout: Path) -> Path:
    _follow(checkout)
    commit(checkout, "a fourth kind")
    return checkout


def test_the_page_makes_a_kind_that_both_engines_render_alike(
    with_a_fourth_kind: Path, tmp_path: Path
) -> None:
    source = with_a_fourth_kind
    assert "chargeback-desk" in [kind.name for kind in kinds(str(source))]
    asked = [kind for kind in kinds(str(source)) if kind.name == "chargeback-desk"]
    assert "deadline_days" in [question.name for question in asked[0].questions]

    by_us = new(tmp_path / "desk", kind="chargeback-desk", source=str(source), answers={"deadline_days": "9"})
    answers = {"platform_source": "../paypath", "deadline_days": "9", "service_name": "desk"}
    by_copier = copier(
        source, tmp_path / "copier", {"kind": "chargeback-desk", **answers}, "--vcs-ref", "HEAD"
    )
    by_cookiecutter = cookiecutter(source, "chargeback-desk", tmp_path / "other", answers)

    assert by_us.kind == "chargeback-desk"
    rendered, other = tree(by_copier), tree(by_cookiecutter)
    # Its `_commit` is the commit for copier and the release for cookiecutter, as for every kind.
    stored, others = (yaml.safe_load(one.pop(".copier-answers.yml")[1]) for one in (rendered, other))
    assert stored.pop("_commit") != others.pop("_commit")
    assert stored == others
    assert rendered == other
    assert set(ownership(by_copier)) == {
        str(path.relative_to(by_copier)) for path in by_copier.rglob("*") if path.is_file()
    }
    assert stored["deadline_days"] == 9


def test_its_question_is_no_other_kinds(with_a_fourth_kind: Path, tmp_path: Path) -> None:
    payments = new(tmp_path / "payments", kind="payment-service", source=str(with_a_fourth_kind))

    assert "deadline_days" not in payments.answers


def test_the_page_names_every_place_that_knows_the_kinds() -> None:
    """Whatever names an existing kind outside of its own folder is a place that the page has to mention."""
    page = _howto.read_text()
    for path in ("copier.yml", "paypath/scaffold/examples.py"):
        assert path in page
        assert "event-worker" in (root / path).read_text()
    for place in (root / "paypath").rglob("*.py"):
        if place.name != "examples.py":
            assert "event-worker" not in place.read_text(), (
                f"{place} knows the kinds; the page does not say so"
            )


def test_commands_of_the_page_are_commands() -> None:
    for language, text in _blocks():
        if language == "console":
            for line in text.splitlines():
                assert not line.startswith("$ ") or shlex.split(line[2:])
        if language == "json":
            assert json.loads(text.partition("\n")[2])
    assert os.path.lexists(root / "templates/event-worker/templates/templates/shared")
