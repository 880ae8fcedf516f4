"""What `paypath add` and `paypath remove` have in common: show the diff, ask, write."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paypath.cli.ask import can_ask, confirmed
from paypath.cli.output import Refused, note, row

if TYPE_CHECKING:
    from paypath.scaffold.pieces import Change

# Read here as a folder: completion must not wait for the scaffold to be imported.
_pieces = Path(__file__).parents[1] / "scaffold" / "pieces" / "data"
_colours = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class How:
    """How a change is to be made."""

    service: Path
    yes: bool
    dry_run: bool
    as_json: bool


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that changes a service, which gets them as one argument, *how*."""

    @click.option(
        "--service",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        help="The service's folder  [this one]",
    )
    @click.option("-y", "--yes", is_flag=True, help="Do it without asking.")
    @click.option("--dry-run", is_flag=True, help="Show the diff, and write nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; asks nothing.")
    @wraps(command)
    def with_how(*, service: Path, yes: bool, dry_run: bool, as_json: bool, **others: Any) -> Any:
        return command(how=How(service, yes, dry_run, as_json), **others)

    return with_how


def complete_piece(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's
    """Complete the name of a piece."""
    return sorted(path.name for path in _pieces.glob(f"{incomplete}*") if path.is_dir())


def carry_out(change: Change, how: How) -> None:
    """Show *change*, ask where somebody can answer, and write it.

    Raises:
        Refused: nobody can be asked, and nobody said yes beforehand.
        BadInput, ScaffoldError: as `Change.apply`.
    """
    what = f"{change.piece} {change.name}"
    for text in change.notes:
        note(text)
    if change.is_done:
        state = "is there already" if change.verb == "add" else "is not there"
        _tell(change, how, written=False, text=f"{what} {state}; nothing to do")
        return
    if how.dry_run:
        if not how.as_json:
            _show(change)
        _tell(change, how, written=False, text="Nothing was written.")
        return
    asks = not how.yes and not how.as_json
    if not how.yes and (how.as_json or not can_ask()):
        if not how.as_json:
            _show(change)
        raise Refused(
            f"{what}: nobody can be asked here, so nothing was written; add --yes, or --dry-run to see"
        )
    if asks:
        _show(change)
        if not confirmed(f"{'Add' if change.verb == 'add' else 'Remove'} {what}?"):
            _tell(change, how, written=False, text="Nothing was written.")
            return
    change.apply()
    verb = "Added" if change.verb == "add" else "Removed"
    _tell(change, how, written=True, text=f"{verb} {what}")


def _show(change: Change) -> None:
    for line in change.diff().splitlines():
        bold = line.startswith(("+++", "---"))
        colour = None if bold else _colours.get(line[:1])
        click.echo(click.style(line, fg=colour, bold=bold or None))
    click.echo()


def _tell(change: Change, how: How, *, written: bool, text: str) -> None:
    if how.as_json:
        click.echo(json.dumps(_document(change, written=written)))
        return
    click.echo(text)
    if not written:
        return
    for path, (before, after) in sorted(change.files.items()):
        row("new" if before is None else "deleted" if after is None else "changed", path)
    click.echo("\nNext:")
    for line in change.next:
        click.echo(f"  {line}")
    click.echo("  make check test, then commit")


def _document(change: Change, *, written: bool) -> dict[str, Any]:
    return {
        "verb": change.verb,
        "piece": change.piece,
        "name": change.name,
        "service": str(change.folder),
        "written": written,
        "files": {
            path: "new" if before is None else "deleted" if after is None else "changed"
            for path, (before, after) in sorted(change.files.items())
        },
        "diff": change.diff(),
        "next": list(change.next),
        "notes": list(change.notes),
    }
