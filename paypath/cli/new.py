"""`paypath new`: generate a service."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from paypath.cli.answering import pair
from paypath.cli.output import note, row, telling_errors
from paypath.cli.source_options import Where, source_options

if TYPE_CHECKING:
    from paypath.scaffold import NewService


# Of a checkout. Read here as text: completion must not wait for YAML, the scaffold and git.
_configuration = Path(__file__).parents[2] / "copier.yml"
_choice = re.compile(r'^ +"(?P<name>[a-z-]+): .*": (?P=name)$', re.MULTILINE)


def _complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's
    given = {name: ctx.params.get(name) for name in ("source", "ref", "worktree")}
    is_checkout = not any(given.values()) and _configuration.is_file()
    names = _choice.findall(_configuration.read_text(encoding="utf-8")) if is_checkout else []
    return [name for name in names or _kinds_at(**given) if name.startswith(incomplete)]


def _kinds_at(*, source: str | None, ref: str | None, worktree: bool | None) -> list[str]:
    from paypath.scaffold import ScaffoldError, kinds  # noqa: PLC0415  # keeps `--help` quick

    try:
        return [kind.name for kind in kinds(source, ref=ref, worktree=bool(worktree))]
    except ScaffoldError:
        return []


@click.command(
    epilog="Exit codes: 0 the service is there; 1 it could not be generated; 2 bad input. "
    "After 1 and 2 nothing was written."
)
@click.argument("destination", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    metavar="KIND",
    shell_complete=_complete_kind,
    help="Which kind of service; `paypath templates` lists them  [payment-service]",
)
@click.option(
    "-d", "--data", "pairs", metavar="NAME=ANSWER", multiple=True, help="Answer a question; may be repeated."
)
@click.option("--defaults", is_flag=True, help="Ask nothing; take the default of every other question.")
@source_options
@click.option("--no-git", is_flag=True, help="Make no git repository.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; asks nothing.")
def new(
    *,
    destination: Path,
    kind: str | None,
    pairs: Iterable[str],
    defaults: bool,
    where: Where,
    no_git: bool,
    as_json: bool,
) -> None:
    """Generate a service in DESTINATION, a folder that is empty or does not exist.

    What --data leaves open is asked on a terminal, and has its default elsewhere. The service becomes a git
    repository with one commit, unless DESTINATION lies in a work tree already. Ctrl-C leaves nothing behind.
    """
    from paypath.scaffold import new as generate  # noqa: PLC0415  # keeps `--help` quick
    from platform_lib.clock import SystemClock  # noqa: PLC0415

    clock = SystemClock()
    began = clock.monotonic()
    answers = dict(map(pair, pairs))
    # Ended from outside, we clean up as after Ctrl-C.
    signal.signal(signal.SIGTERM, _end)
    with telling_errors():
        made = generate(
            destination,
            kind=kind,
            answers=answers,
            source=where.source,
            ref=where.ref,
            worktree=where.worktree,
            prompt=not defaults and not as_json and sys.stdin.isatty() and sys.stdout.isatty(),
            use_git=not no_git,
        )
    for text in made.notes:
        note(text)
    if made.defaulted and not defaults:
        taken = ", ".join(f"{name}={made.answers[name]}" for name in made.defaulted)
        note(f"nothing was asked, so these are defaults: {taken}")
    if as_json:
        click.echo(json.dumps(_document(made)))
    else:
        _tell(made, clock.monotonic() - began)


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  # the interface of signal handlers
    sys.exit(128 + number)


def _document(made: NewService) -> dict[str, Any]:
    return {
        "service": made.answers["service_name"],
        "kind": made.kind,
        "folder": str(made.folder),
        "version": made.version,
        "source": made.source,
        "answers": dict(made.answers),
        "files": list(made.files),
        "git": {"commit": made.commit, "work_tree": str(made.work_tree) if made.work_tree else None},
        "notes": list(made.notes),
    }


def _tell(made: NewService, seconds: float) -> None:
    answers = made.answers
    where = os.path.relpath(made.folder)
    shown = where if not where.startswith(f"..{os.sep}..") else str(made.folder)
    name = click.style(answers["service_name"], fg="green", bold=True)
    click.echo(f"{name} is in {shown}: {len(made.files)} files in {seconds:.1f} s")
    row("kind", f"{made.kind} {made.version}")
    row("package", answers["package"])
    row("title", answers["title"])
    row("platform_source", answers["platform_source"])
    if made.commit:
        row("git", f"first commit {made.commit} on main")
    elif made.work_tree:
        row("git", f"left to the work tree around it, {made.work_tree}")
    click.echo("\nNext:")
    if where != ".":
        click.echo(f"  cd {shown}")
    click.echo("  make test")
