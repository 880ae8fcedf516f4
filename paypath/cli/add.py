"""`paypath add`: add a webhook, a provider, an event or a table to a service."""

from __future__ import annotations

import click

from paypath.cli.output import telling_errors
from paypath.cli.piece_change import How, carry_out, change_options, complete_piece

_codes = (
    "Exit codes: 0 it is there, was there already, or was not wanted; 1 it failed; 2 refused. After 1 and 2 "
    "nothing was written."
)


@click.command(epilog=_codes)
@click.argument("piece", shell_complete=complete_piece)
@click.argument("name")
@change_options
def add(*, piece: str, name: str, how: How) -> None:
    """Add PIECE, called NAME, to a service: code, test and wiring.

    \b
    webhook NAME   webhooks of another party, such as acme
    provider NAME  one more processor; payments whose token begins with tok_NAME_ go to it
    event NAME     an event of another service, by its subject: orders.order.cancelled
    table NAME     a table with migration, statements and code, such as customer

    Shows the diff first, and asks on a terminal. `paypath remove` undoes it.
    """  # noqa: D301  # \b is click's sign not to rewrap what follows
    from paypath.scaffold.pieces import plan_add  # noqa: PLC0415  # keeps `--help` quick

    with telling_errors():
        carry_out(plan_add(how.service, piece, name), how)
