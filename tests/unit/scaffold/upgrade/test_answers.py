"""Answers on the way to a new version: none is lost, and none falls back to a default, in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from paypath.scaffold import BadInput
from paypath.scaffold.upgrade import AnswersNeeded, Choices, FileClass, NoService, Said, UnknownVersion
from tests.unit.scaffold.upgrade.world import World, changed, configuration, content, edit, file


def _ask(world: World, old: str, new: str, migrations: str | None = None) -> None:
    """Release v1.1.0 with another questionnaire, and perhaps with migrations."""
    beside = {"copier.yml": changed(configuration, old, new)}
    if migrations:
        beside["templates/migrations.yml"] = migrations
    world.release("v1.1.0", {"new.txt": "new\n"}, beside)


def _answers(world: World, service: Path, **more: object) -> dict[str, object]:
    plan = world.plan(service, Choices(said=Said(more)))
    stored: dict[str, object] = yaml.safe_load(content(plan, ".copier-answers.yml"))
    return stored


def test_an_answer_that_is_no_choice_any_more_is_an_error_that_names_it(world: World) -> None:
    service = world.service(currency="GBP")
    _ask(world, "[EUR, GBP, USD]", "[EUR, USD]")

    with pytest.raises(
        AnswersNeeded, match=r"^currency: .*; give another with --data currency=ANSWER \(it was 'GBP'\)$"
    ):
        world.plan(service)

    assert _answers(world, service, currency="USD")["currency"] == "USD"


def test_an_answer_to_a_question_that_is_gone_is_an_error_that_names_it(world: World) -> None:
    service = world.service(currency="GBP")
    _ask(world, "currency:\n", "money:\n")

    with pytest.raises(
        AnswersNeeded, match=r"^currency: v1.1.0 has no such question, and your answer was 'GBP'; "
    ):
        world.plan(service)

    plan = world.plan(service, Choices(said=Said({"money": "GBP"}, ("currency",))))
    assert [(change.name, change.old, change.new) for change in plan.answers] == [
        ("currency", "GBP", None),
        ("money", None, "GBP"),
    ]
    assert file(plan, ".copier-answers.yml").file_class is FileClass.ANSWER_CHANGED


def test_a_question_that_was_renamed_takes_its_answer_along_where_the_template_declares_it(
    world: World,
) -> None:
    service = world.service(currency="GBP")
    _ask(
        world,
        "currency:\n",
        "money:\n",
        "- id: money\n  answers:\n    renamed: {currency: money}\n    values: {money: {GBP: USD}}\n",
    )

    plan = world.plan(service)

    assert [(change.name, change.new, change.why) for change in plan.answers] == [
        ("currency", None, "called money now"),
        ("money", "USD", "was called currency"),
    ]


def test_a_renamed_question_whose_default_is_the_old_answer_is_carried_over_as_by_copier(
    world: World,
) -> None:
    service = world.service(service_name="corner")
    world.release(
        "v1.1.0",
        {"new.txt": "new\n"},
        {
            "copier.yml": changed(
                configuration,
                "service_name:\n  type: str\n  default: shop\n",
                "name:\n  type: str\n  default: \"{{ service_name | default('shop') }}\"\n",
            )
        },
    )
    world.release("v1.1.1", {"README.md": "{{ cookiecutter.name }}\n"})

    assert _answers(world, service)["name"] == "corner"


def test_a_question_that_was_removed_with_a_reason_is_told(world: World) -> None:
    service = world.service()
    _ask(
        world,
        "currency:\n  type: str\n  default: EUR\n  choices: [EUR, GBP, USD]\n",
        "colour: grey\n",
        "- id: no-currency\n  answers:\n    removed: {currency: Each payment has its own.}\n",
    )
    world.release("v1.1.1", {"currency.txt": None})

    [new, gone] = world.plan(service).answers

    assert (gone.name, gone.old, gone.why) == ("currency", "EUR", "Each payment has its own.")
    assert (new.name, new.new) == ("colour", "grey")


def test_a_missing_answer_is_an_error_and_not_its_default(world: World) -> None:
    service = world.service(currency="GBP")
    stored = (service / ".copier-answers.yml").read_text()
    edit(service, {".copier-answers.yml": changed(stored, "currency: GBP\n", "")})
    world.release("v1.1.0", {"new.txt": "new\n"})

    with pytest.raises(
        AnswersNeeded, match=r"^currency: the answers file has no answer, and its default, 'EUR', may"
    ):
        world.plan(service)

    plan = world.plan(service, Choices(said=Said({"currency": "GBP"})))
    assert file(plan, "currency.txt").file_class is FileClass.UNCHANGED


def test_an_answer_that_nobody_asks_for_is_refused(world: World) -> None:
    service = world.service()
    world.release("v1.1.0", {"new.txt": "new\n"})

    with pytest.raises(BadInput, match=r'^--data: v1.1.0 asks for no "curency"; did you mean "currency"\?$'):
        world.plan(service, Choices(said=Said({"curency": "EUR"})))


def test_what_the_team_added_to_the_answers_file_stays(world: World) -> None:
    service = world.service()
    stored = (service / ".copier-answers.yml").read_text()
    edit(service, {".copier-answers.yml": f"# Ours: ask Ada.\n{stored}team: till\n"})
    world.release("v1.1.0", {"new.txt": "new\n"})

    text = content(world.plan(service), ".copier-answers.yml")

    assert "# Ours: ask Ada.\n" in text
    assert yaml.safe_load(text)["_commit"] == "v1.1.0"
    assert yaml.safe_load(text)["team"] == "till"


@pytest.mark.parametrize("version", ["HEAD", "main"])
def test_a_version_that_moves_is_refused(world: World, version: str) -> None:
    service = world.service()
    stored = (service / ".copier-answers.yml").read_text()
    edit(service, {".copier-answers.yml": changed(stored, "_commit: v1.0.0", f"_commit: {version}")})

    with pytest.raises(UnknownVersion, match=f"^_commit: {version} moves, so nobody knows which version"):
        world.plan(service)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]\n", "holds no answers"),
        ("a: b: c\n", "no readable YAML"),
        ("currency: EUR\n", "names no _commit"),
        ("_commit: v1.0.0\n", "names no _src_path"),
    ],
)
def test_an_answers_file_that_says_too_little_is_told(world: World, text: str, message: str) -> None:
    service = world.service()
    edit(service, {".copier-answers.yml": text})

    with pytest.raises(NoService, match=message):
        world.plan(service)


def test_an_older_version_is_refused_and_a_newer_one_than_the_newest_release_is_left(world: World) -> None:
    world.release("v1.1.0", {"new.txt": "new\n"})
    service = world.service(ref="v1.1.0")

    with pytest.raises(
        BadInput, match=r"^--to: v1.0.0 is older than what the service has, v1.1.0; to go back, undo"
    ):
        world.plan(service, Choices(to="v1.0.0"))

    world.release(None, {"newer.txt": "newer\n"})
    ahead = world.service(name="ahead", ref="HEAD")
    assert "newer than the newest release, v1.1.0" in world.plan(ahead).note
    assert world.plan(service, Choices(to="HEAD")).new.startswith("v1.1.0-1-g")


def test_an_unknown_version_is_told_with_the_nearest(world: World) -> None:
    with pytest.raises(UnknownVersion, match=r'there is no version v1\.0\.1; did you mean "v1\.0\.0"\?'):
        world.plan(world.service(), Choices(to="v1.0.1"))


def test_prefixed_tags_and_pre_releases_are_no_newest_release(world: World) -> None:
    service = world.service()
    world.release("payments-v2.0.0", {"a.txt": "a\n"})
    world.release("v2.0.0rc1", {"b.txt": "b\n"})

    plan = world.plan(service)

    assert plan.old == plan.new == "v1.0.0"


def test_a_release_with_the_same_template_is_nothing_to_do(world: World) -> None:
    service = world.service()
    world.release("v1.0.1", beside={"library.py": "fixed = True\n"})

    plan = world.plan(service)

    assert (plan.new, plan.note) == ("v1.0.0", "v1.0.1 has the same template")


def test_the_changelog_between_the_versions_is_part_of_the_plan(world: World) -> None:
    service = world.service()
    sections = {"Unreleased": "d", "[1.1.0] - 2026-01-02": "c", "1.0.1": "b", "1.0.0": "a"}
    log = "".join(f"## {name}\n\n- {text}\n\n" for name, text in sections.items())
    world.release("v1.1.0", {"new.txt": "new\n"}, {"CHANGELOG.md": log})

    assert world.plan(service).changelog == "## [1.1.0] - 2026-01-02\n- c\n\n## 1.0.1\n- b"
