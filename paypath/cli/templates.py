"""`paypath templates`: list the kinds of service that can be generated."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from paypath.cli.output import row, telling_errors
from paypath.cli.source_options import Where, source_options


@click.command(epilog="Exit codes: 0 listed; 1 the source cannot be read; 2 bad input.")
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def templates(*, where: Where, as_json: bool) -> None:
    """List the kinds of service, and what each asks."""
    from paypath.scaffold import kinds  # noqa: PLC0415  # keeps `--help` quick

    with telling_errors():
        found = kinds(where.source, ref=where.ref, worktree=where.worktree)
    if as_json:
        click.echo(json.dumps({"kinds": [asdict(kind) for kind in found]}))
        return
    for kind in found:
        note = "  [default]" if kind.is_default else ""
        click.echo(f"{click.style(kind.name, fg='green', bold=True)}  {kind.summary}{note}")
        for question in kind.questions:
            row(question.name, question.help)
    click.echo(f"\nNext:\n  paypath new FOLDER --kind {found[0].name}")
