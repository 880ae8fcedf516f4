"""`python -m paypath.template_ci`: test every render and every upgrade; `make templates` calls it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import click
import psutil

import paypath
from paypath.cli.output import Failed, note, row, telling_errors
from paypath.scaffold.fleet import local_executor
from paypath.template_ci.cases import Case, all_cases, selected, selected_steps
from paypath.template_ci.declared import read_declared
from paypath.template_ci.engines import require_engines
from paypath.template_ci.pages import report_page
from paypath.template_ci.progress import line, progress
from paypath.template_ci.results import CaseResult, Report, report_document
from paypath.template_ci.running import Order, engines_used, run_templates
from paypath.template_ci.surroundings import library, quick_folder, versions
from paypath.template_ci.target import open_target
from platform_lib.clock import SystemClock

_folder = ".paypath/templates"


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 all are green, or in conflict as declared; 1 something is red, or the run failed; "
    "2 bad input.",
)
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Only this kind; may be repeated.")
@click.option(
    "--only", metavar="TEXT", multiple=True, help="Only cases with TEXT in their name; may be repeated."
)
@click.option("--step", "steps", metavar="STEP", multiple=True, help="Only this check; may be repeated.")
@click.option(
    "--from", "more", metavar="REF", multiple=True, help="Upgrade from this commit too; may be repeated."
)
@click.option("--worktree", is_flag=True, help="Test the templates as they lie here, committed or not.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes at once  [one a core]")
@click.option("--list", "listing", is_flag=True, help="Name the cases, and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object on stdout.")
@click.option(
    "--report",
    "report",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help=f"Where index.html, report.json and logs/ go  [{_folder}/report]",
)
@click.option(
    "--source",
    "source",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    metavar="FOLDER",
    help="The checkout with the templates  [the one that holds this tool]",
)
def main(**given: Any) -> None:
    """Test the templates as services: every render and every upgrade.

    Each kind is rendered with every combination of answers by copier and by cookiecutter, and both must be
    the same to the byte. A service of each release, with each of the edits that teams typically make, is
    upgraded to the templates under test: no line of the team may be lost, and no conflict come unannounced.
    Each distinct service that comes of it is then formatted, linted, type-checked and tested with the library
    of this checkout. What is tested is declared in templates/ci.yml.
    """
    asked = _Asked(**given)
    clock = SystemClock()
    begun, began = clock.now().isoformat(timespec="seconds"), clock.monotonic()
    with (
        telling_errors(),
        TemporaryDirectory(
            prefix="paypath-", dir=quick_folder(asked.processes), ignore_cleanup_errors=True
        ) as room,
    ):
        require_engines()
        target = open_target(asked.checkout, Path(room).resolve(), worktree=asked.worktree)
        declared = read_declared(target.version.folder)
        released = target.released(asked.more)
        every = all_cases(declared, target.kinds(), released)
        cases = selected(every, asked.kinds, asked.only)
        steps = selected_steps(declared, asked.steps)
        if asked.listing:
            click.echo("\n".join(case.name for case in cases))
            return
        if target.uncommitted and not asked.worktree and not asked.as_json:
            note(f"uncommitted template changes, {target.uncommitted}, are not tested; pass --worktree")
        order = Order(
            templates=target.version.folder,
            repository=target.repository,
            commit=target.version.commit,
            room=Path(room).resolve(),
            caches=_made(asked.checkout / _folder / "caches"),
            logs=_emptied(asked.folder / "logs"),
            steps=steps,
            unchecked=declared.unchecked,
        )
        results = _run(cases, order, asked.processes, quiet=asked.as_json)
        report = Report(
            about={
                "begun": begun,
                "seconds": round(clock.monotonic() - began, 1),
                "jobs": asked.processes,
                "cores": os.cpu_count() or 1,
                "target": {**target.about(), "releases": list(released), "library": library(asked.checkout)},
                "versions": versions(asked.checkout),
            },
            steps=tuple(step.name for step in steps),
            cases=tuple(results),
            all_cases=len(every),
            engines=engines_used(results, order.logs),
        )
    document = report_document(report)
    (asked.folder / "report.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (asked.folder / "index.html").write_text(report_page(report), encoding="utf-8")
    if asked.as_json:
        click.echo(json.dumps(document))
    else:
        _tell(report, asked.folder)
    sys.exit(0 if report.passed else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The command line."""

    kinds: tuple[str, ...]
    only: tuple[str, ...]
    steps: tuple[str, ...]
    more: tuple[str, ...]
    worktree: bool
    jobs: int | None
    listing: bool
    as_json: bool
    report: Path | None
    source: Path | None

    @property
    def checkout(self) -> Path:
        """The checkout with the templates."""
        return (self.source or Path(paypath.__file__).parents[1]).resolve()

    @property
    def folder(self) -> Path:
        """Where the report goes."""
        return (self.report or self.checkout / _folder / "report").resolve()

    @property
    def processes(self) -> int:
        """How many there are at once."""
        return self.jobs or os.cpu_count() or 1


def _run(cases: Sequence[Case], order: Order, jobs: int, *, quiet: bool) -> list[CaseResult]:
    asked_to_end: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the interface of signal handlers
        # Nothing is raised here, where locks may be held; the run ends as its processes are gone. What they
        # run has a session of its own, so Ctrl-C has not reached it.
        asked_to_end.append(number)
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.terminate()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with local_executor(jobs) as pool, local_executor(1) as lane:
            return run_templates(cases, order, pool, lane, progress(quiet=quiet))
    except BrokenExecutor as error:
        if asked_to_end:
            sys.exit(128 + asked_to_end[0])
        raise Failed(f"a process was killed ({error}); run it again, perhaps with fewer --jobs") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(report: Report, folder: Path) -> None:
    for case in report.cases:
        if case.state != "green":
            click.echo(click.style(line(case), fg="red" if case.red else "yellow"))
            for step in case.red:
                for text in step.said.strip().splitlines()[-12:]:
                    click.echo(f"    {text}")
                click.echo(f"    {folder / step.log}")
    counts = report.counts()
    mark = click.style("green", fg="green") if report.passed else click.style("red", fg="red", bold=True)
    click.echo(f"Templates at {report.about['target']['version']} are {mark}")
    row("cases", ", ".join(f"{counts[state]} {state}" for state in ("green", "conflict", "red")))
    if len(report.cases) < report.all_cases:
        row("selected", f"{len(report.cases)} of {report.all_cases} cases")
    row("trees", f"{counts['trees']} distinct, each checked once")
    for name, times in report.times().items():
        row(name, f"{times['runs']:.0f} runs, {times['seconds']:.0f} s, the longest {times['longest']:.0f} s")
    row("time", f"{report.about['seconds']:.0f} s with {report.about['jobs']} processes")
    row("report", str(folder / "index.html"))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return _made(folder)


if __name__ == "__main__":
    main(prog_name="python -m paypath.template_ci")
