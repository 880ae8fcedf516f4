"""`paypath upgrade`: bring a service to a newer version of its template."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from paypath.cli.answering import pair
from paypath.cli.output import Failed, Refused, note, row
from paypath.cli.source_options import online_option

if TYPE_CHECKING:
    from paypath.scaffold.upgrade import Choices, Plan, Service, Upgraded, UpgradeRun

exit_codes = (
    "Exit codes: 0 done, or nothing newer; 1 it failed, or bad input; 2 a newer version is there (--plan, "
    "--check); "
    "3 conflicts; 4 the template needs trust; 5 the service's tests fail after the upgrade and passed "
    "before. "
    "After 1, 3 and 4 the service is as it was."
)


class _BadUsage(click.UsageError):
    exit_code = 1


class _NeedsTrust(Failed):
    exit_code = 4


class UpgradeCommand(click.Command):
    """A command whose 2 means a newer version, so that bad input must be 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise _BadUsage(error.message, error.ctx) from error


@click.command(cls=UpgradeCommand, epilog=exit_codes)
@click.argument("service", type=click.Path(path_type=Path), default=Path())
@click.option("--to", metavar="VERSION", help="Which version  [the newest release]")
@click.option("--plan", "only_plan", is_flag=True, help="Say what an upgrade would do; write nothing.")
@click.option("--check", is_flag=True, help="Say in one line whether there is an upgrade; write nothing.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the plan as a page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "-d", "--data", "pairs", metavar="NAME=ANSWER", multiple=True, help="Answer a question; may be repeated."
)
@click.option(
    "--drop", metavar="NAME", multiple=True, help="Give up an answer that nobody asks for any more."
)
@click.option("--ours", metavar="PATH", multiple=True, help="In this conflict keep your team's file.")
@click.option("--theirs", metavar="PATH", multiple=True, help="In this conflict take the template's file.")
@click.option("--resolve", is_flag=True, help="Lay conflicts out with markers in a linked work tree.")
@click.option("--continue", "continues", is_flag=True, help="Make the upgrade whose conflicts you resolved.")
@click.option("--abort", is_flag=True, help="Give a resolution up; nothing of it stays.")
@click.option("--undo", is_flag=True, help="Remove the upgrade's branch; after its merge, make the reverse.")
@click.option("--no-tests", is_flag=True, help="Do not run the service's tests before and after.")
@click.option("--test-command", metavar="COMMAND", help="How to run its tests  [make test]")
@click.option("--lock", is_flag=True, help="Run `make lock` too, which needs the network.")
@click.option("--source", metavar="URL|FOLDER", help="Where the template is  [where the answers say]")
@online_option
@click.option("--within", metavar="PATH", default="", help="Where the service is in a bare clone of several.")
def upgrade(**given: Any) -> None:
    """Bring SERVICE, a folder, to a newer version of its template.

    The old and the new version are rendered with the service's answers and merged with what its team has
    committed. The result is a branch, paypath/upgrade-VERSION, one commit a step; your work tree, its index
    and your branches are not touched, so it may be dirty. Then the service's tests run, without the upgrade
    and with it.

    Where both sides changed the same lines, nothing is made and base, ours and theirs are shown. Then decide
    file by file with --ours and --theirs, or edit: --resolve lays the files out with markers in a linked work
    tree and says where; when you are through, --continue makes the branch, and --abort gives it up.
    """
    from paypath.scaffold.upgrade import (  # noqa: PLC0415  # keeps `--help` quick
        Choices,
        Decisions,
        Said,
        Wishes,
        find_service,
        upgrade_run,
    )

    asked = _Asked(**given)
    asked.require_sense()
    signal.signal(signal.SIGTERM, _end)
    choices = Choices(
        to=asked.to,
        source=asked.source,
        online=asked.online,
        said=Said(dict(map(_pair, asked.pairs)), asked.drop),
        decisions=Decisions(asked.ours, asked.theirs),
    )
    wishes = Wishes(
        test=not asked.no_tests,
        test_command=asked.test_command,
        lock=asked.lock,
        said=_progress(quiet=asked.as_json),
    )
    with telling_upgrade_errors(), upgrade_run() as run:
        found = find_service(asked.service, within=asked.within)
        if asked.undo:
            _undo(run, found, as_json=asked.as_json)
        elif asked.abort:
            _abort(found, as_json=asked.as_json)
        elif asked.continues:
            _tell_made(run.continue_resolution(found, wishes), as_json=asked.as_json)
        else:
            _plan_or_make(run, found, choices, wishes, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The command line."""

    service: Path
    to: str | None
    only_plan: bool
    check: bool
    html: Path | None
    as_json: bool
    pairs: tuple[str, ...]
    drop: tuple[str, ...]
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    resolve: bool
    continues: bool
    abort: bool
    undo: bool
    no_tests: bool
    test_command: str | None
    lock: bool
    source: str | None
    online: bool | None
    within: str

    def require_sense(self) -> None:
        """Refuse options that contradict each other."""
        actions = {
            "--plan": self.only_plan,
            "--check": self.check,
            "--resolve": self.resolve,
            "--continue": self.continues,
            "--abort": self.abort,
            "--undo": self.undo,
        }
        named = [name for name, wanted in actions.items() if wanted]
        if len(named) > 1:
            raise Failed(f"{' and '.join(named)}: say one of them")
        if self.html is not None and not self.only_plan:
            raise Failed("--html: writes a plan; add --plan")


@contextmanager
def telling_upgrade_errors() -> Iterator[None]:
    """Turn what an upgrade raises on purpose into a message and one of the exit codes of upgrades."""
    from paypath.scaffold import ScaffoldError  # noqa: PLC0415  # keeps `--help` quick
    from paypath.scaffold.upgrade import TrustNeeded  # noqa: PLC0415

    try:
        yield
    except TrustNeeded as error:
        raise _NeedsTrust(str(error)) from error
    except ScaffoldError as error:
        raise Failed(str(error)) from error


def _plan_or_make(run: UpgradeRun, service: Service, choices: Choices, wishes: Any, asked: _Asked) -> None:
    from paypath.cli.plan_text import tell_conflicts, tell_plan  # noqa: PLC0415  # only plans need it
    from paypath.scaffold.upgrade import PlanState, plan_document, plan_page  # noqa: PLC0415

    plan = run.plan(service, choices)
    _tell_carried(plan, asked)
    if asked.html is not None:
        asked.html.write_text(plan_page(plan), encoding="utf-8")
        note(f"the plan is in {asked.html}")
    code = {PlanState.CURRENT: 0, PlanState.READY: 2, PlanState.CONFLICTS: 3}[plan.state]
    if asked.only_plan or asked.check:
        if asked.as_json:
            click.echo(json.dumps(plan_document(plan)))
        elif asked.check:
            _tell_check(plan)
        else:
            tell_plan(plan)
        sys.exit(code)
    if plan.state is PlanState.READY:
        if asked.resolve:
            raise Failed("--resolve: there is no conflict; leave it out")
        _tell_made(run.apply(plan, wishes), as_json=asked.as_json)
        return
    if plan.state is PlanState.CONFLICTS and asked.resolve:
        resolution = run.resolve(plan, choices)
        _tell_resolution(plan, resolution.folder, as_json=asked.as_json)
        sys.exit(3)
    if asked.as_json:
        click.echo(json.dumps(plan_document(plan)))
    elif plan.state is PlanState.CONFLICTS:
        tell_conflicts(plan)
    else:
        _tell_check(plan)
    sys.exit(0 if plan.state is PlanState.CURRENT else 3)


def _tell_carried(plan: Plan, asked: _Asked) -> None:
    from paypath.scaffold.upgrade import carried_note  # noqa: PLC0415  # keeps `--help` quick

    if plan.carried_by and not asked.as_json:
        note(carried_note(plan.carried_by))


def _tell_check(plan: Plan) -> None:
    name = click.style(plan.service.name, fg="green", bold=True)
    if plan.new == plan.old:
        why = f"; {plan.note}" if plan.note else "; nothing is newer"
        click.echo(f"{name} is at {plan.old}{why}")
        return
    how = f"{len(plan.open)} to decide" if plan.open else "clean"
    click.echo(f"{name} can go from {plan.old} to {plan.new}: {how}")


def _tell_made(made: Upgraded, *, as_json: bool) -> None:
    from paypath.scaffold.upgrade import upgraded_document  # noqa: PLC0415  # keeps `--help` quick

    if as_json:
        click.echo(json.dumps(upgraded_document(made)))
    else:
        plan = made.plan
        name = click.style(plan.service.name, fg="green", bold=True)
        click.echo(f"{name} goes from {plan.old} to {plan.new} on the branch {made.branch}")
        for step in made.steps:
            row(step.name, step.commit[:12])
        for suite in made.tests:
            mark = click.style("passed", fg="green") if suite.passed else click.style("failed", fg="red")
            row(f"tests {suite.when}", f"{mark} in {suite.seconds:.0f} s  ({suite.command})")
        for suite in made.tests:
            if not suite.passed:
                click.echo(f"\nThe end of what the tests said {suite.when} the upgrade:\n{suite.output}")
        if [suite.passed for suite in made.tests] == [False, False]:
            note("the tests failed before the upgrade too, so it is not held against it")
        click.echo(f"\nNext:\n  git diff HEAD...{made.branch}\n  git merge {made.branch}")
        click.echo("  paypath upgrade --undo    # if you do not want it")
    for text in made.notes:
        note(text)
    if made.broke_tests:
        sys.exit(5)


def _tell_resolution(plan: Plan, folder: Path, *, as_json: bool) -> None:
    paths = [change.path for change in plan.open]
    if as_json:
        click.echo(json.dumps({"state": "resolving", "folder": str(folder), "conflicts": paths}))
        return
    click.echo(f"The conflicts lie in {folder}:")
    for change in plan.open:
        row(change.file_class.value, f"{change.path}  {change.detail}")
    click.echo("\nNext:\n  edit these files there until no markers are left; delete or keep those without")
    click.echo("  paypath upgrade --continue\n  paypath upgrade --abort    # to give it up")


def _undo(run: UpgradeRun, service: Service, *, as_json: bool) -> None:
    undone = run.undo(service)
    if as_json:
        document = {
            "branch": undone.branch,
            "merged": undone.merged,
            "commit": undone.commit,
            "version": undone.version,
            "exact": undone.exact,
            "conflicts": [path for path, _ in undone.conflicts],
        }
        click.echo(json.dumps(document))
    elif undone.conflicts:
        click.echo(
            f"{service.name}: the upgrade cannot be reversed by itself; changed since, in the same lines:"
        )
        for path, _ in undone.conflicts:
            row("conflict", path)
        click.echo("\nNext:\n  git revert the commits with the trailer Paypath-Upgrade, newest first")
    elif undone.merged:
        click.echo(f"{service.name} goes back to {undone.version} on the branch {undone.branch}")
        row("reverse", undone.commit[:12])
        row(
            "checked",
            "what it was before, file by file" if undone.exact else "differs from what it was; read it",
        )
        click.echo(f"\nNext:\n  git merge {undone.branch}")
    else:
        click.echo(f"{service.name} stays at {undone.version}; the branch {undone.branch} is gone")
        row("to get it back", f"git branch {undone.branch} {undone.commit[:12]}")
    if undone.conflicts:
        sys.exit(3)


def _abort(service: Service, *, as_json: bool) -> None:
    from paypath.scaffold.upgrade import end_resolution, resolution_of  # noqa: PLC0415  # keeps `--help` quick

    if resolution_of(service) is None:
        raise Failed(f"{service.name}: no resolution is under way")
    end_resolution(service)
    click.echo(
        json.dumps({"state": "aborted"}) if as_json else f"{service.name}: given up; nothing of it is left"
    )


def _pair(text: str) -> tuple[str, str]:
    try:
        return pair(text)
    except Refused as error:
        raise Failed(error.message) from error


def _progress(*, quiet: bool) -> Any:
    """Return what shows progress: the newest line, on a terminal; else only what a step is called."""
    terminal = sys.stderr.isatty()

    def said(line: str) -> None:
        if quiet:
            return
        if terminal:
            import shutil  # noqa: PLC0415  # every completion would load its packers

            width = shutil.get_terminal_size().columns
            click.echo(f"\r\x1b[K{click.style(line[: width - 1], dim=True)}", nl=False, err=True)
        elif line.startswith("tests "):
            note(line)

    return said


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  # the interface of signal handlers
    sys.exit(128 + number)
