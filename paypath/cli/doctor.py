"""`paypath doctor`: find what will go wrong with a service's upgrades before they are tried."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from paypath.cli.output import telling_errors
from paypath.cli.source_options import online_option

_colours = {"error": "red", "warning": "yellow", "note": "cyan"}
_shown = 8


@click.command(
    epilog="Exit codes: 0 nothing to mend; 1 something is to be mended, or it failed; 2 bad input."
)
@click.argument("service", type=click.Path(path_type=Path), default=Path())
@click.option("--source", metavar="URL|FOLDER", help="Where the template is  [where the answers say]")
@online_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def doctor(*, service: Path, source: str | None, online: bool | None, as_json: bool) -> None:
    """Look for every trap that SERVICE holds for its next upgrade, and say how to mend each.

    Errors make an upgrade fail or go wrong, warnings will for somebody or some day, notes are good to know.
    Nothing is written.
    """
    from paypath.scaffold.upgrade import Severity, diagnose, find_service, upgrade_run  # noqa: PLC0415  # for `--help`

    with telling_errors(), upgrade_run() as run:
        found = find_service(service)
        findings = diagnose(run, found, source, online=online)
    bad = [finding for finding in findings if finding.severity is not Severity.NOTE]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "service": found.name,
                    "healthy": not bad,
                    "findings": [asdict(finding) for finding in findings],
                }
            )
        )
        sys.exit(1 if bad else 0)
    for finding in sorted(findings, key=lambda each: list(_colours).index(each.severity)):
        label = click.style(finding.severity.value, fg=_colours[finding.severity], bold=True)
        click.echo(f"{label} {finding.what}")
        if finding.mend:
            click.echo(f"  {click.style('mend:', dim=True)} {finding.mend}")
        for path in finding.paths[:_shown]:
            click.echo(click.style(f"    {path}", dim=True))
        if len(finding.paths) > _shown:
            click.echo(click.style(f"    and {len(finding.paths) - _shown} more", dim=True))
    name = click.style(found.name, fg="green", bold=True)
    click.echo(f"{name}: {f'{len(bad)} to mend' if bad else 'nothing to mend'}")
    sys.exit(1 if bad else 0)
