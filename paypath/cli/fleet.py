"""`paypath fleet`: look at, plan and upgrade all the services of a company."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from paypath.cli.output import Failed, note
from paypath.cli.source_options import online_option
from paypath.cli.upgrade import UpgradeCommand, telling_upgrade_errors

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from paypath.scaffold.fleet import Journal, Order, Outcome, Progress, Stop, Target

_ends = (
    "Exit codes: 0 all are upgraded or current; 1 a service failed, or bad input; 3 conflicts in some, the "
    "others are upgraded; 5 tests of some fail on their branch and passed before. Of several 5 comes "
    "before 1 before 3."
)
_looks = "Exit codes: 0 all were read; 1 a service could not be read, or bad input."
_plans = (
    "Exit codes: 0 nothing newer; 1 a service could not be read, or bad input; 2 newer versions are there; "
    "3 conflicts in some. Of several 1 comes before 3 before 2."
)


@dataclass(frozen=True, slots=True)
class _Crew:
    """Who does the work, as the command line has it."""

    jobs: int | None
    scheduler: str | None

    def executor(self, services: int) -> AbstractContextManager[Executor]:
        """Return the executor for so many *services*."""
        from paypath.scaffold.fleet import dask_executor, local_executor  # noqa: PLC0415  # keeps `--help` quick

        if self.scheduler is not None:
            return dask_executor(self.scheduler)
        return local_executor(min(self.jobs or os.cpu_count() or 1, services))


@click.group(epilog="Exit codes: see each command.")
def fleet() -> None:
    """Look at, plan and upgrade all the services of a company.

    PATHS are folders of services, git URLs, files that list one of these a line, or - for standard input.
    """


def _jobs(command: Callable[..., Any]) -> Callable[..., Any]:
    @click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes at once  [one a core]")
    @click.option(
        "--scheduler", metavar="tcp://HOST:PORT", help="Have a Dask cluster do the work (paypath[fleet])."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    @wraps(command)
    def with_jobs(*, jobs: int | None, scheduler: str | None, **given: Any) -> Any:
        if jobs is not None and scheduler is not None:
            raise Failed("--jobs and --scheduler: the cluster has its own number of workers; say one of them")
        with telling_upgrade_errors():
            return command(crew=_Crew(jobs, scheduler), **given)

    return with_jobs


def _template(command: Callable[..., Any]) -> Callable[..., Any]:
    @click.argument("paths", nargs=-1, required=True)
    @click.option("--to", metavar="VERSION", help="Which version  [the newest release]")
    @click.option("--source", metavar="URL|FOLDER", help="Where the template is  [where the answers say]")
    @online_option
    @wraps(command)
    def with_template(*, source: str | None, **given: Any) -> Any:
        return command(source=_absolute(source), **given)

    return with_template


def _making(command: Callable[..., Any]) -> Callable[..., Any]:
    @click.option(
        "--no-tests", is_flag=True, default=None, help="Do not run the services' tests before and after."
    )
    @click.option("--test-command", metavar="COMMAND", help="How to run their tests  [make test]")
    @click.option("--lock", is_flag=True, default=None, help="Run `make lock` too, which needs the network.")
    @click.option(
        "--push", is_flag=True, default=None, help="Push the branches to origin, which needs the network."
    )
    @click.option("--waves", metavar="SIZES", help="Services before each gate  [1,5%,all]")
    @click.option(
        "--max-failed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Stop at a gate if more have failed  [0]",
    )
    @wraps(command)
    def with_making(*, no_tests: bool | None, **given: Any) -> Any:
        return command(tests=None if no_tests is None else not no_tests, **given)

    return with_making


@fleet.command(cls=UpgradeCommand, epilog=_looks)
@_template
@_jobs
def status(*, paths: tuple[str, ...], crew: _Crew, as_json: bool, **asked: Any) -> None:
    """Tell each service's kind, version, drift and library skew; write nothing."""
    from paypath.scaffold.fleet import State, fleet_status  # noqa: PLC0415  # keeps `--help` quick

    targets = _targets(paths)
    with _stopping("nothing was written") as stop, crew.executor(len(targets)) as executor:
        outcomes = fleet_status(targets, executor, _order(asked), _progress(quiet=as_json), stop)
    _tell_all(outcomes, as_json=as_json)
    sys.exit(1 if any(outcome.state is State.FAILED for outcome in outcomes) else 0)


@fleet.command(cls=UpgradeCommand, epilog=_plans)
@_template
@_jobs
def plan(*, paths: tuple[str, ...], crew: _Crew, as_json: bool, **asked: Any) -> None:
    """Tell what an upgrade of each service would do, with the conflicts ahead; write nothing."""
    from paypath.scaffold.fleet import State, fleet_plan  # noqa: PLC0415  # keeps `--help` quick

    targets = _targets(paths)
    with _stopping("nothing was written") as stop, crew.executor(len(targets)) as executor:
        outcomes = fleet_plan(targets, executor, _order(asked), _progress(quiet=as_json), stop)
    _tell_all(outcomes, as_json=as_json)
    states = {outcome.state for outcome in outcomes}
    codes = ((State.FAILED, 1), (State.CONFLICTS, 3), (State.READY, 2))
    sys.exit(next((code for state, code in codes if state in states), 0))


@fleet.command(cls=UpgradeCommand, epilog=_ends)
@_template
@click.option(
    "--run",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where journal, clones and pull-request texts go  [fleet-DATE-TIME]",
)
@_making
@_jobs
def apply(*, paths: tuple[str, ...], folder: Path | None, crew: _Crew, as_json: bool, **asked: Any) -> None:
    """Upgrade the services, each on a branch, wave by wave.

    A wave is a number of services to try, or a share of all. After each is a gate: the run stops there if
    more than --max-failed services failed, or if tests that passed before fail after the upgrade. A service
    in conflict is reported and left as it is. The text of a pull request is written for each branch; nothing
    is pushed without --push. A run that was killed goes on with `paypath fleet resume`.
    """
    from paypath.scaffold.fleet import apply_fleet  # noqa: PLC0415  # keeps `--help` quick
    from platform_lib.clock import SystemClock  # noqa: PLC0415

    targets = _targets(paths)
    folder = folder or Path(f"fleet-{SystemClock().now():%Y%m%d-%H%M%S}")
    if not as_json:
        note(f"the run is in {folder}; if it is cut short: {_resume(folder)}")
    with _stopping(f"go on with {_resume(folder)}") as stop, crew.executor(len(targets)) as executor:
        said = _progress(quiet=as_json)
        journal = apply_fleet(folder, targets, executor, _order(asked), said=said, stop=stop)
    _tell_run(journal, as_json=as_json)


@fleet.command(cls=UpgradeCommand, epilog=_ends)
@click.argument("run", type=click.Path(file_okay=False, path_type=Path))
@click.option("--to", metavar="VERSION", help="As the run was begun; anything else is refused.")
@click.option("--source", metavar="URL|FOLDER", help="As the run was begun; anything else is refused.")
@click.option(
    "--online/--offline", "online", default=None, help="As the run was begun; anything else is refused."
)
@_making
@click.option("--go-on", is_flag=True, help="Pass the gate that stopped the run.")
@_jobs
def resume(*, run: Path, crew: _Crew, as_json: bool, go_on: bool, source: str | None, **asked: Any) -> None:
    """Go on with RUN, the folder of a run that was killed, to the end that it would have had.

    What it was begun with is in its journal: options need not be repeated, and others are refused.
    """
    from paypath.scaffold.fleet import open_journal, resume_fleet  # noqa: PLC0415  # keeps `--help` quick

    given = {**asked, "source": _absolute(source)}
    given = {name: value for name, value in given.items() if value is not None}
    services = len(open_journal(run).targets)
    with _stopping(f"go on with {_resume(run)}") as stop, crew.executor(services) as executor:
        said = _progress(quiet=as_json)
        journal = resume_fleet(run, executor, given=given, go_on=go_on, said=said, stop=stop)
    _tell_run(journal, as_json=as_json)


@fleet.command(cls=UpgradeCommand, epilog="Exit codes: 0 written; 1 it failed, or bad input.")
@click.argument("run", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the report as a page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def report(*, run: Path, html: Path | None, as_json: bool) -> None:
    """Tell what became of each service in RUN, the folder of a run, whether it has ended or not."""
    from paypath.scaffold.fleet import Outcome, report_document, report_page  # noqa: PLC0415  # as above

    with telling_upgrade_errors():
        document = report_document(run)
    if html is not None:
        html.write_text(report_page(document), encoding="utf-8")
        note(f"the report is in {html}")
    if as_json:
        click.echo(json.dumps(document))
        return
    briefs = [
        {name: value for name, value in each.items() if name != "document"} for each in document["services"]
    ]
    _tell_table([Outcome.read(brief) for brief in briefs])
    click.echo(f"the run is {document['state']}")


@contextmanager
def _stopping(onward: str) -> Iterator[Stop]:
    """Give what SIGINT and SIGTERM ask to stop; the second one ends this process, as if nobody listened."""
    from paypath.scaffold.fleet import FleetStopped, Stop  # noqa: PLC0415  # keeps `--help` quick

    stop = Stop()
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the interface of handlers
        if heard:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        heard.append(number)
        # Not by click: it may be in the middle of a line itself.
        os.write(2, b"\nending after the services in work; the same signal again ends them too\n")
        stop.request()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except FleetStopped as error:
        note(f"{error}; {onward}")
        sys.exit(128 + heard[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _resume(folder: Path) -> str:
    return f"`paypath fleet resume {folder}`"


def _targets(paths: tuple[str, ...]) -> tuple[Target, ...]:
    from paypath.scaffold.fleet import read_targets  # noqa: PLC0415  # keeps `--help` quick

    return read_targets(paths, sys.stdin if "-" in paths else ())


def _order(asked: dict[str, Any]) -> Order:
    from paypath.scaffold.fleet import Order  # noqa: PLC0415  # keeps `--help` quick

    return Order(**{name: value for name, value in asked.items() if value is not None})


def _absolute(source: str | None) -> str | None:
    """Return *source* as worker processes elsewhere can read it."""
    return str(Path(source).resolve()) if source is not None and Path(source).is_dir() else source


def _tell_all(outcomes: list[Outcome], *, as_json: bool) -> None:
    from paypath.scaffold.fleet import counts  # noqa: PLC0415  # keeps `--help` quick

    if as_json:
        services = [{**outcome.brief(), "document": outcome.document} for outcome in outcomes]
        click.echo(json.dumps({"counts": counts(outcomes), "services": services}))
    else:
        _tell_table(outcomes)


def _tell_table(outcomes: list[Outcome]) -> None:
    from paypath.scaffold.fleet import counts  # noqa: PLC0415  # keeps `--help` quick
    from paypath.scaffold.upgrade import carried_note  # noqa: PLC0415

    heads = ("service", "kind", "from", "to", "state")
    rows = [(each.name, each.kind or "", each.old, each.new, each.state.value) for each in outcomes]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    click.echo(click.style(_line(heads, widths).rstrip(), dim=True))
    for cells, outcome in zip(rows, outcomes, strict=True):
        click.echo(f"{_line(cells, widths)}  {_remark(outcome)}".rstrip())
    click.echo(", ".join(f"{number} {state}" for state, number in counts(outcomes).items()))
    for version in sorted({outcome.carried_by for outcome in outcomes} - {""}):
        note(carried_note(version))


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _remark(outcome: Outcome) -> str:
    parts = [
        f"to decide: {', '.join(outcome.conflicts)}" if outcome.conflicts else "",
        outcome.branch,
        f"{outcome.drift} of the platform's files edited" if outcome.drift else "",
        outcome.skew,
        f"{outcome.findings} to mend (paypath doctor)" if outcome.findings else "",
        outcome.message,
    ]
    return "; ".join(filter(None, parts))


def _tell_run(journal: Journal, *, as_json: bool) -> None:
    from paypath.scaffold.fleet import Outcome, State, report_document  # noqa: PLC0415  # as above

    document = report_document(journal.folder)
    states = {outcome.state for outcome in journal.outcomes.values()}
    if as_json:
        click.echo(json.dumps(document))
    else:
        services = [{**each} for each in document["services"]]
        for each in services:
            del each["document"]
        _tell_table([Outcome.read(each) for each in services])
        if journal.ended == "stopped":
            note(
                f"stopped at a gate; look into it, then `paypath fleet resume {journal.folder} --go-on`, "
                "or begin a new run"
            )
        click.echo(f"pull-request texts are in {journal.folder / 'pull-requests'}")
    codes = ((State.RED, 5), (State.FAILED, 1), (State.CONFLICTS, 3))
    sys.exit(next((code for state, code in codes if state in states), 0))


def _progress(*, quiet: bool) -> Callable[[Progress], None]:
    """Return what shows progress: a bar on a terminal, else a line for each service; nothing if *quiet*."""
    terminal = sys.stderr.isatty()
    width = 30

    def said(progress: Progress) -> None:
        if quiet:
            return
        outcome = progress.outcome
        wave = f"wave {progress.wave}, " if progress.wave else ""
        count = f"{progress.done}/{progress.services}"
        if terminal:
            full = width * progress.done // progress.services
            bar = "█" * full + "░" * (width - full)
            end = "\r\x1b[K" if progress.done == progress.services else ""
            click.echo(f"\r\x1b[K{bar} {wave}{count} {outcome.name[:30]}{end}", nl=False, err=True)
        else:
            click.echo(f"{wave}{count} {outcome.name}: {outcome.state.value}", err=True)

    return said
