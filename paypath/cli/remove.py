"""`paypath remove`: take out what `paypath add` added."""

from __future__ import annotations

import click

from paypath.cli.output import telling_errors
from paypath.cli.piece_change import How, carry_out, change_options, complete_piece

_codes = (
    "Exit codes: 0 it is gone, was not there, or was to stay; 1 it failed; 2 refused. After 1 and 2 nothing "
    "was written."
)


def _complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's
    from paypath.scaffold import ScaffoldError  # noqa: PLC0415  # keeps `--help` quick
    from paypath.scaffold.pieces import added  # noqa: PLC0415  # the same

    try:
        found = added(ctx.params.get("service") or ".")
    except ScaffoldError:
        return []
    return [name for piece, name in found if piece == ctx.params.get("piece") and name.startswith(incomplete)]


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
