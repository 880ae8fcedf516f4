"""What a run consists of: one case for each render, and one for each upgrade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paypath.scaffold.errors import BadInput
from paypath.template_ci.declared import Declared, Step
from paypath.template_ci.edits import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderCase:
    """A kind with a combination of answers, rendered by both engines.

    Attributes:
        kind: the kind.
        combination: the name of the combination.
        answers: the answers.
    """

    kind: str
    combination: str
    answers: Mapping[str, str]

    @property
    def name(self) -> str:
        """What reports and ``--only`` call it."""
        return f"{self.kind}/{self.combination}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeCase:
    """A service of a kind as a release generated it, edited by its team, and upgraded.

    Attributes:
        kind: the kind.
        release: the release, as answers files call it.
        edit: what the team has done.
        answers: the answers that it was generated with.
    """

    kind: str
    release: str
    edit: Edit
    answers: Mapping[str, str]

    @property
    def name(self) -> str:
        """What reports and ``--only`` call it."""
        return f"{self.kind}/{self.release}/{self.edit.name}"


Case = RenderCase | UpgradeCase


def all_cases(declared: Declared, kinds: Sequence[str], released: Mapping[str, Sequence[str]]) -> list[Case]:
    """Return every case: renders of *kinds*, and upgrades from what is *released*, kinds by release.

    Raises:
        BadInput: a declaration names a kind that there is not, or no combination fits a kind.
    """
    for name, named in (
        *((f"combination {one.name}", one.kinds) for one in declared.combinations),
        *((f"edit {one.name}", one.kinds) for one in declared.edits),
    ):
        if unknown := set(named) - set(kinds):
            raise BadInput(
                f"{name}: there is no kind {', '.join(sorted(unknown))}; kinds are {', '.join(kinds)}"
            )
    cases: list[Case] = []
    first: dict[str, Mapping[str, str]] = {}
    for kind in kinds:
        fitting = [one for one in declared.combinations if not one.kinds or kind in one.kinds]
        if not fitting:
            raise BadInput(f"{kind}: no combination of answers is for it; declare one")
        first[kind] = fitting[0].answers
        cases += [RenderCase(kind=kind, combination=one.name, answers=one.answers) for one in fitting]
    for release, had in released.items():
        for kind in kinds:
            if kind not in had:
                continue
            cases += [
                UpgradeCase(kind=kind, release=release, edit=edit, answers=first[kind])
                for edit in declared.edits
                if (not edit.kinds or kind in edit.kinds) and (not edit.releases or release in edit.releases)
            ]
    return cases


def selected(cases: Sequence[Case], kinds: Sequence[str], only: Sequence[str]) -> list[Case]:
    """Return the cases of *kinds* whose name holds one of the texts *only*; all where nothing is asked.

    Raises:
        BadInput: there is no such case.
    """
    if unknown := set(kinds) - {case.kind for case in cases}:
        known = ", ".join(dict.fromkeys(case.kind for case in cases))
        raise BadInput(f"--kind: there is no {', '.join(sorted(unknown))}; kinds are {known}")
    found = [
        case
        for case in cases
        if (not kinds or case.kind in kinds) and (not only or any(text in case.name for text in only))
    ]
    if not found:
        raise BadInput(f"--only: no case is called like {' or '.join(only)}; see --list")
    return found


def selected_steps(declared: Declared, names: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps called *names*; all where nothing is asked.

    Raises:
        BadInput: there is no such step.
    """
    known = [step.name for step in declared.steps]
    if unknown := set(names) - set(known):
        raise BadInput(f"--step: there is no {', '.join(sorted(unknown))}; steps are {', '.join(known)}")
    return tuple(step for step in declared.steps if not names or step.name in names)
