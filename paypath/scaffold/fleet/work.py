"""The work on one service, as functions that any executor's process can call: data in, an `Outcome` out.

A process keeps one run of the engine open, so templates are read and compiled once in each; mirrors,
checkouts and renders are shared by all. Work in one process goes one service at a time, since copier changes
the folder of the whole process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.fleet.orders import Order
from paypath.scaffold.fleet.outcomes import Outcome, State
from paypath.scaffold.fleet.targets import Target
from paypath.scaffold.git import GitFailed, git
from paypath.scaffold.sources import address_of, is_url
from paypath.scaffold.upgrade import (
    Choices,
    Plan,
    PlanState,
    Service,
    Severity,
    Standing,
    Upgraded,
    UpgradeError,
    UpgradeRun,
    Wishes,
    diagnose,
    find_service,
    plan_document,
    upgrade_run,
    upgraded_document,
)
from platform_lib.clock import SystemClock

_states = {
    PlanState.CURRENT: State.CURRENT,
    PlanState.READY: State.READY,
    PlanState.CONFLICTS: State.CONFLICTS,
}
_one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the processes of a run work.

    Attributes:
        cache: the cache folder.
        folder: holds the mirrors of templates and the clones of services that have a URL.
    """

    cache: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Task:
    """One service, and what is asked."""

    target: Target
    order: Order
    workplace: Workplace


def look(task: Task) -> Outcome:
    """Tell a service's kind, version, drift and library skew; write nothing."""
    return _guarded(task, _look)


def forecast(task: Task) -> Outcome:
    """Tell what an upgrade of a service would do; write nothing."""
    return _guarded(task, _forecast)


def upgrade(task: Task) -> Outcome:
    """Upgrade a service on a branch; one that stands there already counts, and is not made again."""
    return _guarded(task, _upgrade)


def _look(run: UpgradeRun, service: Service, task: Task) -> Outcome:
    findings = diagnose(run, service, task.order.source, online=task.order.online)
    edited = [len(finding.paths) for finding in findings if finding.id == "platform-owned"]
    skew = [finding.what for finding in findings if finding.id == "version-skew"]
    try:
        told = _told(task, run.plan(service, _choices(task)))
    except UpgradeError as error:
        told = _unplanned(task, service, error)
    return replace(
        told,
        drift=sum(edited),
        skew="; ".join(skew),
        findings=sum(finding.severity is not Severity.NOTE for finding in findings),
    )


def _forecast(run: UpgradeRun, service: Service, task: Task) -> Outcome:
    plan = run.plan(service, _choices(task))
    return replace(_told(task, plan), document=plan_document(plan))


def _upgrade(run: UpgradeRun, service: Service, task: Task) -> Outcome:
    plan = run.plan(service, _choices(task))
    if plan.state is PlanState.CURRENT:
        return _told(task, plan)
    standing = run.standing(plan)
    if standing is None and plan.state is PlanState.CONFLICTS:
        return replace(_told(task, plan), document=plan_document(plan))
    made = _taken(run, plan, standing, task) if standing else _made(run, plan, task)
    outcome = replace(
        _told(task, plan),
        state=State.RED if made.broke_tests else State.UPGRADED,
        branch=made.branch,
        conflicts=(),
        message="; ".join(made.notes),
        document=upgraded_document(made),
    )
    return _pushed(service, outcome) if task.order.push and outcome.state is State.UPGRADED else outcome


def _made(run: UpgradeRun, plan: Plan, task: Task) -> Upgraded:
    try:
        return run.apply(plan, _wishes(task))
    except UpgradeError:
        # A process of a run that was killed may have set the branch a moment ago.
        standing = run.standing(plan)
        if standing is None:
            raise
        return _taken(run, plan, standing, task)


def _taken(run: UpgradeRun, plan: Plan, standing: Standing, task: Task) -> Upgraded:
    tests, notes = run.test(plan, standing.tip, _wishes(task)) if task.order.tests else ((), ())
    return Upgraded(plan=plan, branch=standing.branch, steps=standing.steps, tests=tests, notes=notes)


def _pushed(service: Service, outcome: Outcome) -> Outcome:
    ref = f"refs/heads/{outcome.branch}"
    try:
        git("push", "--quiet", "origin", f"{ref}:{ref}", folder=service.repository)
    except GitFailed as error:
        return replace(outcome, state=State.FAILED, message=f"the branch is made, but not pushed: {error}")
    return replace(outcome, pushed=True)


def _told(task: Task, plan: Plan) -> Outcome:
    return Outcome(
        number=task.target.number,
        place=task.target.place,
        name=plan.service.name,
        state=_states[plan.state],
        kind=plan.kind,
        old=plan.old,
        new=plan.new,
        conflicts=tuple(change.path for change in plan.open),
        message=plan.note,
        carried_by=plan.carried_by or "",
    )


def _unplanned(task: Task, service: Service, error: UpgradeError) -> Outcome:
    answers = service.answers()
    kind = answers.given.get("kind")
    return Outcome(
        number=task.target.number,
        place=task.target.place,
        name=service.name,
        state=State.FAILED,
        kind=None if kind is None else str(kind),
        old=answers.version,
        message=str(error),
    )


def _choices(task: Task) -> Choices:
    return Choices(to=task.order.to, source=task.order.source, online=task.order.online)


def _wishes(task: Task) -> Wishes:
    order = task.order
    return Wishes(test=order.tests, test_command=order.test_command, lock=order.lock)


def _guarded(task: Task, work: Callable[[UpgradeRun, Service, Task], Outcome]) -> Outcome:
    """Do *work*; whatever goes wrong is the outcome of this service and does not end the others."""
    clock = SystemClock()
    began = clock.monotonic()
    target = task.target
    with _one_at_a_time:
        try:
            run = _run_at(task.workplace)
            outcome = work(run, find_service(_folder_of(task)), task)
        except Exception as error:  # noqa: BLE001  # a fault in one service's files must not stop a fleet
            said = str(error) if isinstance(error, ScaffoldError) else f"{type(error).__name__}: {error}"
            outcome = Outcome(
                number=target.number,
                place=target.place,
                name=target.name,
                state=State.FAILED,
                message=said,
            )
        else:
            for left in run.room.iterdir():  # a fleet's objects and checkouts would fill the disk
                shutil.rmtree(left, ignore_errors=True)
    return replace(outcome, seconds=round(clock.monotonic() - began, 3))


@lru_cache(maxsize=1)
def _run_at(workplace: Workplace) -> UpgradeRun:
    """Return this process's run; it ends with the process, or its room is swept by the next one."""
    stack = ExitStack()
    run = stack.enter_context(upgrade_run(workplace.cache, mirrors=workplace.folder / "mirrors"))
    Finalize(None, stack.close, exitpriority=10)
    return run


def _folder_of(task: Task) -> Path:
    """Return the service's folder; a service with a URL is cloned once, and that clone is kept."""
    target = task.target
    if not is_url(target.place):
        return Path(target.place)
    clone = task.workplace.folder / "clones" / f"{target.number:04}" / f"{target.name}.git"
    if not clone.is_dir():
        clone.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(mkdtemp(prefix="aside-", dir=clone.parent)) / clone.name
        git("clone", "--quiet", "--bare", "--", address_of(target.place), str(aside), folder=clone.parent)
        aside.rename(clone)
        aside.parent.rmdir()
    return clone
