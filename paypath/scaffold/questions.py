"""What a template asks: read from `copier.yml`, so that a wrong name is told before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from paypath.scaffold.errors import BadInput, ScaffoldError, did_you_mean
from paypath.scaffold.sources import Source, open_source


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        name: what an answer is given under.
        help: the question as people read it.
        default: None where it is worked out from other answers or from the source.
        asked: whether it is put on a terminal; otherwise only an answer that is given changes the default.
    """

    name: str
    help: str
    default: str | None
    asked: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of service that can be generated.

    Attributes:
        name: the folder of its template, and the answer to the question `kind`.
        summary: what such a service does, in one line.
        questions: what it asks.
        is_default: whether it is the one that an unanswered `kind` stands for.
    """

    name: str
    summary: str
    questions: tuple[Question, ...]
    is_default: bool = False


class _Loader(yaml.SafeLoader):
    """YAML as copier writes it; what `!include` names is read by `_asked`."""


_Loader.add_constructor("!include", lambda *_: None)


def kinds(source: str | None = None, *, ref: str | None = None, worktree: bool = False) -> list[Kind]:
    """Return the kinds of service that *source* can generate; see `open_source` for the arguments."""
    with open_source(source, ref=ref, worktree=worktree) as opened:
        return kinds_of(opened)


def kinds_of(source: Source) -> list[Kind]:
    """Return the kinds that an open source can generate, in its order."""
    shared = _asked(source, "copier.yml")
    asked_first = shared.get("kind", {})
    if not isinstance(choices := asked_first.get("choices"), dict):
        raise ScaffoldError(
            f"copier.yml: {source.origin} names no kinds of service; is it a checkout of the platform?"
        )
    return [
        Kind(
            name=name,
            summary=label.removeprefix(f"{name}: "),
            questions=tuple(
                _question(key, details)
                for key, details in (shared | _asked(source, f"templates/{name}/questions.yml")).items()
                if key != "kind" and details.get("when") is not False
            ),
            is_default=name == asked_first.get("default"),
        )
        for label, name in choices.items()
    ]


def choose(source: Source, kind: str | None, answers: Mapping[str, str]) -> Kind:
    """Return the kind that *kind*, or the answer of that name, asks for; without either, the default one.

    Raises:
        BadInput: there is no such kind, none is the default, or it does not ask for one of *answers*.
    """
    known = {each.name: each for each in kinds_of(source)}
    wanted = kind or answers.get("kind")
    if answers.get("kind", wanted) != wanted:
        raise BadInput(f'kind: given twice, as "{kind}" and "{answers["kind"]}"; give it once')
    if wanted is None:
        defaults = [name for name, each in known.items() if each.is_default or len(known) == 1]
        if not defaults:
            raise BadInput(f"kind: none given; {did_you_mean('', known)}")
        [wanted] = defaults
    if wanted not in known:
        raise BadInput(f'kind: there is no "{wanted}"; {did_you_mean(wanted, known)}')
    asked = [question.name for question in known[wanted].questions]
    for name in answers:
        if name != "kind" and name not in asked:
            raise BadInput(f'--data: {wanted} asks for no "{name}"; {did_you_mean(name, asked)}')
    return known[wanted]


def _question(name: str, details: Mapping[str, Any]) -> Question:
    default = str(details.get("default", ""))
    return Question(
        name,
        str(details.get("help", "")),
        None if "{" in default else default,
        details.get("ask") is not False,
    )


def _asked(source: Source, path: str) -> dict[str, dict[str, Any]]:
    """Return the questions of one file, by name; simple ones (``name: default``) in their full form."""
    try:
        documents = list(yaml.load_all(source.read(path) or "", Loader=_Loader))
    except yaml.YAMLError as error:
        raise ScaffoldError(f"{path}: {source.origin} holds no readable YAML there; {error}") from error
    return {
        name: details if isinstance(details, dict) else {"default": details}
        for document in documents
        for name, details in (document or {}).items()
        if not name.startswith("_")
    }
