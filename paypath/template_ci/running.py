"""A run: every case made, every distinct tree checked once, in processes beside one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paypath.template_ci.cases import Case, RenderCase
from paypath.template_ci.declared import Step
from paypath.template_ci.making import Made, Place, make
from paypath.template_ci.results import CaseResult, StepResult
from paypath.template_ci.steps import Places, Ran, run_step

_engines = re.compile(r"^engines: (.*(?:container|embedded|given).*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a run is to be made.

    Attributes:
        templates: the templates under test, laid out.
        repository: the repository that has them and every release.
        commit: their commit in it.
        room: an empty folder for services; not in a repository, whose ignore rules would hide them.
        caches: a folder that lasts, for the caches of checks.
        logs: an empty folder for what each step said.
        steps: the checks.
        unchecked: files and folders of a service that no check reads.
        limit: how many seconds a check may take.
    """

    templates: Path
    repository: Path
    commit: str
    room: Path
    caches: Path
    logs: Path
    steps: tuple[Step, ...]
    unchecked: tuple[str, ...] = ()
    limit: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        done: how many steps have ended, of cases that share a tree each one's own.
        steps: how many there will be at most.
        ended: the case that has just ended, if one has.
    """

    done: int
    steps: int
    ended: CaseResult | None = None


Said = Callable[[Progress], None]


@dataclass
class _Tree:
    """A tree that is checked, and the cases that have it."""

    first: str
    ran: dict[str, Ran] = field(default_factory=dict)
    cases: list[int] = field(default_factory=list)


@dataclass
class _Run:
    """What is known while it runs."""

    cases: Sequence[Case]
    order: Order
    said: Said
    made: dict[int, Made] = field(default_factory=dict)
    trees: dict[str, _Tree] = field(default_factory=dict)
    results: dict[int, CaseResult] = field(default_factory=dict)

    def end(self, number: int) -> None:
        """Write down the result of a case all of whose steps have ended."""
        self.results[number] = self._result(number)
        self.tell(self.results[number])

    def tell(self, ended: CaseResult | None = None) -> None:
        each = 1 + len(self.order.steps)
        running = (number for number in self.made if number not in self.results)
        done = len(self.results) * each + sum(1 + len(self._tree(number).ran) for number in running)
        self.said(Progress(done=done, steps=len(self.cases) * each, ended=ended))

    def _tree(self, number: int) -> _Tree:
        return self.trees[self.made[number].digest or ""]

    def _result(self, number: int) -> CaseResult:
        case, made = self.cases[number], self.made[number]
        first = "engines" if isinstance(case, RenderCase) else "upgrade"
        said = "\n".join(made.complaints)
        log = self._log(f"{case.name}-{first}", said or made.note)
        steps = [StepResult(step=first, passed=not said, seconds=made.seconds, log=log, said=said)]
        if made.digest is not None:
            checked = self.trees[made.digest]
            same_as = checked.first if checked.first != case.name else None
            for step in self.order.steps:
                ran = checked.ran[step.name]
                steps.append(
                    StepResult(
                        step=step.name,
                        passed=ran.passed,
                        seconds=0.0 if same_as else ran.seconds,
                        log=self._log(f"{checked.first}-{step.name}", ran.output),
                        said="" if ran.passed else ran.output,
                        same_as=same_as,
                    )
                )
        return CaseResult(
            case=case,
            steps=tuple(steps),
            note=made.note,
            conflicts=made.conflicts if not made.complaints else (),
            digest=made.digest,
        )

    def _log(self, name: str, text: str) -> str:
        file = self.order.logs / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.txt"
        file.write_text(f"{text.rstrip()}\n", encoding="utf-8")
        return f"{self.order.logs.name}/{file.name}"


def run_templates(
    cases: Sequence[Case],
    order: Order,
    pool: Executor,
    lane: Executor,
    said: Said = lambda _: None,
) -> list[CaseResult]:
    """Make and check every case; return what was found, in the order of *cases*.

    Each distinct tree is checked once, by every step. Nothing that a case does wrong ends the run.

    Args:
        cases: the cases.
        order: how it is to be made.
        pool: does the work.
        lane: does the work that must not overlap, with one process.
        said: hears of progress.

    Raises:
        concurrent.futures.BrokenExecutor: a process of *pool* or *lane* was killed.
    """
    run = _Run(cases, order, said)
    waiting: dict[Future[Any], tuple[int, Step | None]] = {}
    places = Places(caches=order.caches, scratch=order.room / "t")
    places.scratch.mkdir(parents=True, exist_ok=True)
    # As root, PostgreSQL runs as somebody else, who has to find its folder.
    for folder in (order.room, places.scratch):
        folder.chmod(0o711)
    for number, case in enumerate(cases):
        place = Place(
            templates=order.templates,
            repository=order.repository,
            commit=order.commit,
            cache=order.room / "cache",
            folder=order.room / "cases" / str(number),
            checks=places,
            unchecked=order.unchecked,
        )
        waiting[pool.submit(make, case, place)] = (number, None)
    try:
        while waiting:
            ended, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                number, step = waiting.pop(future)
                if step is None:
                    run.made[number] = future.result()
                    for new in _begun(run, number):
                        executor = lane if new.one_at_a_time else pool
                        folder = run.made[number].folder
                        task = executor.submit(run_step, new, folder, places, order.limit)
                        waiting[task] = (number, new)
                else:
                    _checked(run, number, step, future.result())
    finally:
        for future in waiting:
            future.cancel()
    return [run.results[number] for number in range(len(cases))]


def engines_used(results: Sequence[CaseResult], logs: Path) -> list[str]:
    """Return which engines the tests say that they used."""
    names = dict.fromkeys(step.log for case in results for step in case.steps)
    found = [
        engine
        for name in names
        for line in _engines.findall((logs.parent / name).read_text(encoding="utf-8"))
        for engine in line.split(" · ")
    ]
    return sorted(set(found))


def _begun(run: _Run, number: int) -> Sequence[Step]:
    """Return the steps that are to be run on a case that was made: none if its tree is known."""
    made = run.made[number]
    if made.digest is None:
        run.end(number)
        return ()
    known = run.trees.get(made.digest)
    if known is not None:
        known.cases.append(number)
        if len(known.ran) == len(run.order.steps):
            run.end(number)
        else:
            run.tell()
        return ()
    run.trees[made.digest] = _Tree(run.cases[number].name, cases=[number])
    run.tell()
    return run.order.steps


def _checked(run: _Run, number: int, step: Step, ran: Ran) -> None:
    checked = run.trees[run.made[number].digest or ""]
    checked.ran[step.name] = ran
    if len(checked.ran) < len(run.order.steps):
        run.tell()
        return
    for each in checked.cases:
        run.end(each)
