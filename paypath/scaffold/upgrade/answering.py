"""The stored answers at the old and at the new version: none is lost, and none changes, in silence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paypath.scaffold.errors import BadInput, did_you_mean
from paypath.scaffold.upgrade.answers import Answers
from paypath.scaffold.upgrade.errors import AnswersNeeded
from paypath.scaffold.upgrade.migrations import Migration, migrated_answers
from paypath.scaffold.upgrade.renders import Recipe, Render, Renders
from paypath.scaffold.upgrade.versions import TemplateVersion


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """An answer that the upgrade changes.

    Attributes:
        name: the question.
        old: the answer before; None if there was none.
        new: the answer after; None if there is none.
        why: why it changes.
    """

    name: str
    old: Any
    new: Any
    why: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the user says about answers: some to *give*, and questions that nobody asks any more to *drop*."""

    give: Mapping[str, Any]
    drop: Collection[str] = ()


def render_old(
    renders: Renders, version: TemplateVersion, answers: Answers, said: Said, new: TemplateVersion
) -> Render:
    """Render what the service once was.

    Raises:
        AnswersNeeded: the answers file lacks answers that *version* asks for, or holds some that it refuses.
    """
    given = {**{name: said.give[name] for name in said.give if name not in answers.given}, **answers.given}
    recipe = Recipe(
        answers=given,
        label=answers.version,
        source=answers.source,
        strict=True,
        # As copier does: what the new version leaves out, it does not take away either.
        exclude=renders.excluded(new),
    )
    try:
        render = renders.render(version, recipe)
    except AnswersNeeded as error:
        raise AnswersNeeded(
            [
                f"{problem} (its own version {version.name} asks for it); put it right in the answers file"
                for problem in error.problems
            ]
        ) from error
    missing = [name for name in render.answers if name not in given]
    if missing:
        raise AnswersNeeded(
            [
                f"{name}: the answers file has no answer, and its default, {render.answers[name]!r}, may "
                f"not be what the service was made with; give it with --data {name}=ANSWER"
                for name in missing
            ]
        )
    return render


def render_new(
    renders: Renders,
    version: TemplateVersion,
    answers: Answers,
    old: Render,
    migrations: Sequence[Migration],
    said: Said,
) -> tuple[Render, list[AnswerChange]]:
    """Render what the service would be, fresh from the new version; and tell how its answers change.

    Raises:
        AnswersNeeded: an answer would be lost, or would fall back to a default; each is named.
        BadInput: the new version does not ask for what *said* gives.
    """
    before = {**answers.given}
    known = {name: answer for name, answer in before.items() if name in old.questions}
    carried = {**migrated_answers(known, migrations), **said.give}
    for name in said.drop:
        carried.pop(name, None)
    recipe = Recipe(answers=carried, label=version.name, source=answers.source, strict=False)
    render = renders.render(version, recipe)
    for name in said.give:
        if name not in render.questions and name not in old.questions:
            raise BadInput(
                f'--data: {version.name} asks for no "{name}"; {did_you_mean(name, render.answers)}'
            )
    problems = []
    for name, answer in carried.items():
        if name in render.answers:
            if str(render.answers[name]) != str(answer):
                problems.append(_refusal(renders, version, recipe, name, answer))
        elif name not in render.questions and not _carried_over(name, answer, old, render):
            problems.append(
                f"{name}: {version.name} has no such question, and your answer was {answer!r}; if it has "
                "another "
                f"name now, give it with --data NAME={answer}; if it is gone, say --drop {name}"
            )
    if problems:
        raise AnswersNeeded(problems)
    return render, _changes(known, render, migrations)


def _refusal(renders: Renders, version: TemplateVersion, recipe: Recipe, name: str, answer: Any) -> str:
    """Say in the template's words why an answer is not taken."""
    why = f"{name}: {version.name} does not take {answer!r}"
    try:
        renders.render(version, Recipe(**{**_fields(recipe), "strict": True}))
    except AnswersNeeded as error:
        why = next((problem for problem in error.problems if problem.startswith(f"{name}:")), why)
    return f"{why}; give another with --data {name}=ANSWER (it was {answer!r})"


def _fields(recipe: Recipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in Recipe.__slots__}


def _carried_over(name: str, answer: Any, old: Render, new: Render) -> bool:
    """Tell whether a new question has the answer of *name* as its default, as templates do for copier."""
    return any(
        question not in old.questions
        and new.answers[question] == answer
        and re.search(rf"\b{name}\b", default)
        for question, default in new.questions.items()
        if question in new.answers
    )


def _changes(
    before: Mapping[str, Any], render: Render, migrations: Sequence[Migration]
) -> list[AnswerChange]:
    reasons: dict[str, str] = {}
    for migration in migrations:
        reasons |= migration.removed
        reasons |= {old: f"called {new} now" for old, new in migration.renamed.items()}
        reasons |= {new: f"was called {old}" for old, new in migration.renamed.items()}
        if migration.why:
            reasons |= dict.fromkeys(migration.values, migration.why)
    changes = []
    for name in sorted({*before, *render.answers}):
        old, new = before.get(name), render.answers.get(name)
        if name in before and name in render.answers and str(old) == str(new):
            continue
        if name in before and name in render.answers:
            why = reasons.get(name) or "as given"
        elif name in before:
            why = reasons.get(name) or (
                "does not count any more" if name in render.hidden else "not asked any more"
            )
        else:
            why = reasons.get(name) or "a new question; this is its default, or what was given"
        changes.append(AnswerChange(name, old, new, why))
    return changes
