"""`templates/ci.yml`: which answers are rendered, what teams typically change, and how a service is checked.

It is data, so that a company with templates of its own changes this file and no code::

    given: {platform_source: ../paypath}     # goes with the answers of every combination
    combinations:
      dashes: {answers: {service_name: card-till}}
      weekly: {kinds: [chargeback-desk], answers: {deadline_days: "7"}}
    unchecked: [README.md, docs]
    steps:
      lint: ruff check .
      types: {run: mypy, one_at_a_time: true}
    edits:
      untouched: {}
      a file of its own:
        changes:
          - write: src/{package}/ours.py
            text: |
              ours = 1
        conflicts: {v0.1.0: [Makefile]}
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from paypath.scaffold.errors import BadInput, did_you_mean
from paypath.template_ci.edits import Change, Edit, read_changes

declared_file = "templates/ci.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Answers that are rendered together.

    Attributes:
        name: how reports call it.
        answers: by question, the ones that go with every combination included.
        kinds: the kinds that they are given to; all of them if empty.
    """

    name: str
    answers: Mapping[str, str]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One check of a service.

    Attributes:
        name: how reports call it.
        command: its words, run in the service's folder; a program of this environment comes first.
        one_at_a_time: whether runs of it must not overlap, because they share a cache.
    """

    name: str
    command: tuple[str, ...]
    one_at_a_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the file declares, in its order.

    Attributes:
        combinations: the answers to render. Upgrades start from services with the first one that fits.
        unchecked: files and folders that no step reads; they are taken away before the steps run.
        steps: the checks of each distinct tree.
        edits: what teams have changed in the services that are upgraded.
    """

    combinations: tuple[Combination, ...]
    unchecked: tuple[str, ...]
    steps: tuple[Step, ...]
    edits: tuple[Edit, ...]


def read_declared(templates: Path) -> Declared:
    """Return what the templates in the folder *templates* declare.

    Raises:
        BadInput: there is no such file, or it declares something else than this module describes.
    """
    file = templates / declared_file
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadInput(
            f"{declared_file}: is not there; declare combinations, steps and edits in it, "
            "as docs/howto/test-templates.md shows"
        ) from error
    return parse_declared(text)


def parse_declared(text: str, where: str = declared_file) -> Declared:
    """Return what the YAML *text* declares; *where* names it in messages.

    Raises:
        BadInput: it declares something else than this module describes.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{where}: no readable YAML; {error}") from error
    parts = mapping(document, where, ("given", "combinations", "unchecked", "steps", "edits"))
    given = _answers(parts.get("given"), f"{where}: given")
    combinations = tuple(
        _combination(str(name), details, given, f"{where}: combination {name}")
        for name, details in mapping(parts.get("combinations"), f"{where}: combinations").items()
    )
    steps = tuple(
        _step(str(name), details, f"{where}: step {name}")
        for name, details in mapping(parts.get("steps"), f"{where}: steps").items()
    )
    edits = tuple(
        _edit(str(name), details, f"{where}: edit {name}")
        for name, details in mapping(parts.get("edits"), f"{where}: edits").items()
    )
    for name, found in (("combinations", combinations), ("steps", steps)):
        if not found:
            raise BadInput(f"{where}: declares no {name}, so nothing would be tested; declare one")
    unchecked = words(parts.get("unchecked"), f"{where}: unchecked")
    for path in unchecked:
        if path.startswith("/") or ".." in path.split("/"):
            raise BadInput(
                f"{where}: unchecked: {path} leads out of the service; name a file or folder in it"
            )
    return Declared(combinations=combinations, unchecked=unchecked, steps=steps, edits=edits)


def mapping(given: Any, where: str, known: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return *given* if it is a mapping, of *known* keys where there are such; nothing is an empty one.

    Raises:
        BadInput: it is something else.
    """
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadInput(f"{where}: {given!r} is no mapping; write `name: value`")
    for key in given:
        if known and key not in known:
            raise BadInput(f"{where}: knows no {key}; {did_you_mean(str(key), known)}")
    return given


def words(given: Any, where: str) -> tuple[str, ...]:
    """Return a list of words; nothing is an empty one.

    Raises:
        BadInput: it is something else.
    """
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BadInput(f"{where}: {given!r} is no list of words; write `[one, two]`")
    return tuple(given)


def _combination(name: str, details: Any, given: Mapping[str, str], where: str) -> Combination:
    parts = mapping(details, where, ("answers", "kinds"))
    return Combination(
        name=name,
        answers={**given, **_answers(parts.get("answers"), f"{where}: answers")},
        kinds=words(parts.get("kinds"), f"{where}: kinds"),
    )


def _step(name: str, details: Any, where: str) -> Step:
    parts = (
        {"run": details} if isinstance(details, str) else mapping(details, where, ("run", "one_at_a_time"))
    )
    command = tuple(shlex.split(str(parts.get("run", ""))))
    if not command:
        raise BadInput(f"{where}: runs nothing; write `{name}: ruff check .`")
    return Step(name=name, command=command, one_at_a_time=parts.get("one_at_a_time") is True)


def _edit(name: str, details: Any, where: str) -> Edit:
    parts = mapping(details, where, ("changes", "conflicts", "kinds", "releases", "after"))
    changes: tuple[Change, ...] = read_changes(parts.get("changes"), f"{where}: changes")
    return Edit(
        name=name,
        changes=changes,
        kinds=words(parts.get("kinds"), f"{where}: kinds"),
        releases=words(parts.get("releases"), f"{where}: releases"),
        after=words(parts.get("after"), f"{where}: after"),
        conflicts={
            str(release): words(paths, f"{where}: conflicts: {release}")
            for release, paths in mapping(parts.get("conflicts"), f"{where}: conflicts").items()
        },
    )


def _answers(given: Any, where: str) -> dict[str, str]:
    found = mapping(given, where)
    for name, answer in found.items():
        if not isinstance(answer, str):
            raise BadInput(f'{where}: {name}: {answer!r} is no text; write it in quotes, as in "{answer}"')
    return dict(found)
