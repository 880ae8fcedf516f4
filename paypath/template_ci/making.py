"""The service that a case is about: rendered by both engines, or upgraded. Work for one process."""

from __future__ import annotations

import shlex
import shutil
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.git import git
from paypath.scaffold.history import commit_all
from paypath.scaffold.ownership import ownership_file, read_ownership
from paypath.scaffold.upgrade import Choices, Plan, PlanState, Wishes, conflict_hunks, upgrade_run
from paypath.template_ci.cases import Case, RenderCase, UpgradeCase
from paypath.template_ci.declared import Step
from paypath.template_ci.edits import filled
from paypath.template_ci.engines import by_cookiecutter, by_copier
from paypath.template_ci.keeping import Files, lost
from paypath.template_ci.steps import Places, run_step
from paypath.template_ci.trees import differences, digest, stored, tree
from platform_lib.clock import SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the work is done.

    Attributes:
        templates: the templates under test, laid out.
        repository: the repository that has them and every release.
        commit: their commit in it.
        cache: the upgrade engine's folder for this run.
        folder: this case's own folder.
        checks: where commands may leave something.
        unchecked: files and folders of the service that no check reads.
    """

    templates: Path
    repository: Path
    commit: str
    cache: Path
    folder: Path
    checks: Places
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of a case before its checks.

    Attributes:
        complaints: why it is red, as lines to read; none if it is not.
        note: what else reports say.
        conflicts: the files about which the upgrade asks, as declared.
        digest: of the tree that is checked; None where there is nothing to check.
        folder: the service.
        seconds: how long it took.
    """

    complaints: tuple[str, ...] = ()
    note: str = ""
    conflicts: tuple[str, ...] = ()
    digest: str | None = None
    folder: Path = field(default_factory=Path)
    seconds: float = 0.0


def make(case: Case, place: Place) -> Made:
    """Make the service of *case*; whatever goes wrong is a complaint."""
    clock = SystemClock()
    began = clock.monotonic()
    place.folder.mkdir(parents=True)
    try:
        made = _rendered(case, place) if isinstance(case, RenderCase) else _upgraded(case, place)
    except ScaffoldError as error:
        made = Made(complaints=tuple(str(error).splitlines()))
    except Exception:  # noqa: BLE001  # one broken case must not hide the others
        made = Made(complaints=tuple(traceback.format_exc().splitlines()))
    seconds = clock.monotonic() - began
    return Made(
        complaints=made.complaints,
        note=made.note,
        conflicts=made.conflicts,
        digest=made.digest,
        folder=made.folder,
        seconds=seconds,
    )


def _rendered(case: RenderCase, place: Place) -> Made:
    ours = by_copier(place.templates, case.kind, case.answers, place.folder)
    theirs = by_cookiecutter(place.templates, case.kind, case.answers, place.folder)
    made, other = tree(ours), tree(theirs)
    found = differences(made, other, ("copier", "cookiecutter"))
    shutil.rmtree(theirs)
    return Made(
        complaints=tuple(found),
        note=f"{len(made)} files and folders",
        digest=_checked(ours, place),
        folder=ours,
    )


def _upgraded(case: UpgradeCase, place: Place) -> Made:
    service = place.folder / "service"
    answers = {"kind": case.kind, **case.answers}
    with upgrade_run(place.cache) as run:
        source = run.templates.open(str(place.repository))
        old = source.at(case.release)
        # What the service remembers as its template's place is where it lies on nobody's machine.
        where = case.answers.get("platform_source", str(place.repository))
        run.renders.lay_out(old, answers, label=old.name, source=where, into=service)
        generated = _contents(service)
        commit_all(service, f"Generate it from {case.release}")
        known = {**_answers_of(service), **answers}
        case.edit.apply(service, known)
        if case.edit.changes:
            commit_all(service, case.edit.name)
        plan = run.plan(service, Choices(to=place.commit, source=str(place.repository)))
        if plan.state is PlanState.CURRENT or plan.objects is None:
            return Made(note=f"nothing to upgrade: {case.release} has the same templates")
        complaints = _complaints(case, plan, generated, _contents(service), known)
        asked = tuple(sorted(change.path for change in plan.open))
        if complaints or asked:
            return Made(complaints=tuple(complaints), conflicts=asked, note=_asks(asked))
        made = run.apply(plan, Wishes(test=False))
    git("-c", "core.autocrlf=false", "checkout", "--quiet", made.branch, folder=service)
    note = f"{plan.old} to {plan.new}"
    for text in case.edit.after:
        command = filled(text, known)
        ran = run_step(Step(name="after", command=tuple(shlex.split(command))), service, place.checks)
        if not ran.passed:
            return Made(complaints=("after the upgrade:", *ran.output.splitlines()))
        note += f", then: {command}"
    return Made(note=note, digest=_checked(service, place), folder=service)


def _checked(service: Path, place: Place) -> str:
    """Take away what no check reads, so that none can depend on it; return the digest of what is left."""
    for name in place.unchecked:
        path = service / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return digest(tree(service))


def _answers_of(service: Path) -> dict[str, str]:
    from paypath.scaffold.upgrade import find_service  # noqa: PLC0415  # beside its only use

    return {name: str(answer) for name, answer in find_service(service).answers().given.items()}


def _contents(service: Path) -> Files:
    return {path: content for path, (_, content) in tree(service).items() if (service / path).is_file()}


def _complaints(
    case: UpgradeCase, plan: Plan, generated: Files, team: Files, answers: dict[str, str]
) -> list[str]:
    """Return what is wrong with an upgrade: lines lost, and conflicts other than the declared ones."""
    assert plan.objects is not None  # noqa: S101  # the caller has looked; for the types
    asked = {change.path for change in plan.open}
    upgraded = stored(plan.objects, plan.tree)
    found = lost(
        generated,
        team,
        upgraded,
        renamed=case.edit.renames(answers),
        moved={change.old_path: change.path for change in plan.files if change.old_path},
        asked=asked,
    )
    declared = {filled(path, answers) for path in case.edit.conflicts.get(case.release, ())}
    for path in sorted(declared - asked):
        found.append(f"{path}: a conflict is declared and there is none; take it out of the declaration")
    for change in plan.open:
        if change.path not in declared:
            found.append(f"{change.path}: a conflict that nobody declared: {change.detail}")
            for side, text in conflict_hunks(plan, change):
                found += [f"  {side}:", *(f"    {line}" for line in text.splitlines())]
    if not case.edit.changes and not asked:
        found += _unlike_fresh(upgraded, stored(plan.objects, plan.new_tree))
    return found


def _unlike_fresh(upgraded: Files, fresh: Files) -> list[str]:
    """Return where an untouched service differs from a new one, but for files that are seeded once."""
    owners = read_ownership(fresh.get(ownership_file, b"").decode(), ownership_file)
    trees = [
        {path: (0, content) for path, content in files.items() if owners.get(path) != "seeded"}
        for files in (upgraded, fresh)
    ]
    return differences(trees[0], trees[1], ("the upgraded service", "a fresh one"))


def _asks(asked: tuple[str, ...]) -> str:
    return f"asks about {', '.join(asked)}, as declared" if asked else ""
