"""What a template asks, and the answers that it does not ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold import Kind, Question, ScaffoldError, kinds
from paypath.scaffold.errors import BadInput
from paypath.scaffold.questions import choose
from paypath.scaffold.sources import open_source
from tests.unit.scaffold.conftest import write

_own_question = "drawers:\n  type: int\n  default: 2\n  when: \"{{ kind == 'till' }}\"\n"


def _second_kind(folder: Path) -> None:
    text = (folder / "copier.yml").read_text()
    label = '    "till: takes cash": till\n'
    write(folder, {"copier.yml": text.replace(label, f'{label}    "safe: keeps it": safe\n')})


def test_a_kind_has_a_summary_and_its_questions_in_order(folder: Path) -> None:
    assert kinds(str(folder)) == [
        Kind(
            "till",
            "takes cash",
            (
                Question("service_name", "What is it called?", "shop", asked=True),
                Question("colour", "Which colour?", None, asked=True),
                Question("platform_source", "", None, asked=False),
            ),
            is_default=True,
        )
    ]


def test_only_the_kind_that_brings_a_question_asks_it(checkout: Path) -> None:
    _second_kind(checkout)
    write(checkout, {"templates/till/questions.yml": _own_question})

    till, safe = kinds(str(checkout), worktree=True)

    assert "drawers" in [question.name for question in till.questions]
    assert "drawers" not in [question.name for question in safe.questions]


@pytest.mark.parametrize(
    ("kind", "answers", "message"),
    [
        ("tell", {}, 'kind: there is no "tell"; did you mean "till"?'),
        (None, {"kind": "bank"}, 'kind: there is no "bank"; there are: till'),
        ("till", {"kind": "safe"}, 'kind: given twice, as "till" and "safe"; give it once'),
        (None, {"color": "red"}, '--data: till asks for no "color"; did you mean "colour"?'),
        (
            "till",
            {"x": "1"},
            '--data: till asks for no "x"; there are: service_name, colour, platform_source',
        ),
        # Computed by the template, so nobody's to answer.
        ("till", {"cookiecutter": "1"}, '--data: till asks for no "cookiecutter"; there are: .*'),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(
    folder: Path, kind: str | None, answers: dict[str, str], message: str
) -> None:
    with (
        open_source(str(folder)) as source,
        pytest.raises(BadInput, match=f"^{message.replace('?', '[?]')}$"),
    ):
        choose(source, kind, answers)


def test_the_only_kind_need_not_be_named(folder: Path) -> None:
    with open_source(str(folder)) as source:
        assert choose(source, None, {"colour": "red"}).name == "till"
        assert choose(source, None, {"kind": "till"}).name == "till"
        assert choose(source, "till", {"kind": "till"}).name == "till"


def test_of_two_kinds_the_default_need_not_be_named(folder: Path) -> None:
    _second_kind(folder)

    with open_source(str(folder)) as source:
        assert choose(source, None, {}).name == "till"


def test_one_of_two_kinds_must_be_named_where_none_is_the_default(folder: Path) -> None:
    _second_kind(folder)
    text = (folder / "copier.yml").read_text()
    write(folder, {"copier.yml": text.replace("  default: till\n", "")})

    with open_source(str(folder)) as source:
        assert choose(source, "safe", {}).name == "safe"
        with pytest.raises(BadInput, match="kind: none given; there are: till, safe"):
            choose(source, None, {})


@pytest.mark.parametrize("text", ["kind: [", "service_name: x\n"])
def test_a_source_without_readable_kinds_is_told(folder: Path, text: str) -> None:
    write(folder, {"copier.yml": text})

    with pytest.raises(ScaffoldError, match=r"copier\.yml: .*source (holds no readable YAML|names no kinds)"):
        kinds(str(folder))
