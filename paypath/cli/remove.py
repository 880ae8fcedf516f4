"""`paypath remove`: take out what `paypath add` added."""

from __future__ import annotations

from pathlib import Path

import click

from paypath.cli.output import telling_errors
from paypath.cli.piece_change import How, carry_out, change_options, complete_piece

_codes = (
    "Exit codes: 0 it is gone, was not there, or was to stay; 1 it failed; 2 refused. After 1 and 2 nothing "
    "was written."
)


def _complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's
    # As `paypath.scaffold.pieces.added` finds them, but completion must not wait for that to be imported.
    entries = Path(ctx.params.get("service") or ".") / ".paypath/pieces" / str(ctx.params.get("piece"))
    return sorted(entry.stem for entry in entries.glob("*.json") if entry.stem.startswith(incomplete))


@click.command(epilog=_codes)
@click.argument("piece", shell_complete=complete_piece)
@click.argument("name", shell_complete=_complete_name)
@change_options
def remove(*, piece: str, name: str, how: How) -> None:
    """Take PIECE, called NAME, out of a service, as `paypath add` put it in.

    Refused where anything of it was edited since: no line of yours is lost. Shows the diff first, and asks on
    a terminal.
    """
    from paypath.scaffold.pieces import plan_remove  # noqa: PLC0415  # keeps `--help` quick

    with telling_errors():
        carry_out(plan_remove(how.service, piece, name), how)
