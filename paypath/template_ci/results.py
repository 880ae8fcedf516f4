"""What a run found, case by case, and the same as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paypath.template_ci.cases import Case, RenderCase

format_number = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step of one case.

    Attributes:
        step: its name: ``engines`` or ``upgrade``, then those that are declared.
        passed: whether it found nothing.
        seconds: how long it took; 0 where *same_as* names another case.
        log: the file with what it said, relative to the report.
        said: the same text, where it failed.
        same_as: the case whose tree is the same to the byte, and was checked for both.
    """

    step: str
    passed: bool
    seconds: float
    log: str
    said: str = ""
    same_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case.

    Attributes:
        case: the case.
        steps: its steps; after a conflict, or a first step that failed without a service, there are no more.
        note: what else is to be said.
        conflicts: the files about which the upgrade asks, as declared.
        digest: of the tree that was checked; None where none was.
    """

    case: Case
    steps: tuple[StepResult, ...]
    note: str = ""
    conflicts: tuple[str, ...] = ()
    digest: str | None = None

    @property
    def red(self) -> tuple[StepResult, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if not step.passed)

    @property
    def state(self) -> str:
        """Return ``red``, ``conflict`` (as declared) or ``green``."""
        return "red" if self.red else "conflict" if self.conflicts else "green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run.

    Attributes:
        about: what was tested, with which versions of what, when, and how long it took.
        steps: the names of the declared steps, in their order.
        cases: what was found, in the order of the cases.
        all_cases: how many cases there are, selected or not.
    """

    about: Mapping[str, Any]
    steps: tuple[str, ...]
    cases: tuple[CaseResult, ...]
    all_cases: int
    engines: Sequence[str] = field(default_factory=tuple)

    @property
    def passed(self) -> bool:
        """Whether nothing is red."""
        return not any(case.red for case in self.cases)

    def counts(self) -> dict[str, int]:
        """Return how many cases there are in each state, and how many trees were checked."""
        states = [case.state for case in self.cases]
        found = {state: states.count(state) for state in ("green", "conflict", "red")}
        return {**found, "trees": len({case.digest for case in self.cases if case.digest})}

    def times(self) -> dict[str, dict[str, float]]:
        """Return, by step, how often it ran, for how many seconds in all, and how long the longest took."""
        found: dict[str, dict[str, float]] = {}
        for name in ("engines", "upgrade", *self.steps):
            took = [
                step.seconds
                for case in self.cases
                for step in case.steps
                if step.step == name and step.same_as is None
            ]
            if took:
                found[name] = {
                    "runs": len(took),
                    "seconds": round(sum(took), 1),
                    "longest": round(max(took), 1),
                }
        return found


def report_document(report: Report) -> dict[str, Any]:
    """Return *report* as a JSON document; its keys only ever grow in number."""
    return {
        "format": format_number,
        "passed": report.passed,
        **report.about,
        "engines": list(report.engines),
        "selected": len(report.cases),
        "all_cases": report.all_cases,
        "counts": report.counts(),
        "times": report.times(),
        "cases": [_case(result) for result in report.cases],
    }


def _case(result: CaseResult) -> dict[str, Any]:
    case = result.case
    about: dict[str, Any] = (
        {"sort": "render", "combination": case.combination}
        if isinstance(case, RenderCase)
        else {"sort": "upgrade", "release": case.release, "edit": case.edit.name}
    )
    return {
        "name": case.name,
        "kind": case.kind,
        **about,
        "answers": dict(case.answers),
        "state": result.state,
        "note": result.note,
        "conflicts": list(result.conflicts),
        "tree": result.digest,
        "steps": [
            {
                "step": step.step,
                "passed": step.passed,
                "seconds": round(step.seconds, 2),
                "log": step.log,
                "same_as": step.same_as,
            }
            for step in result.steps
        ],
    }
