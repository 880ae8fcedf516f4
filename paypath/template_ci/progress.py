"""Progress for whoever waits: a bar on a terminal, else a line for each case; on stderr."""

from __future__ import annotations

import sys

import click

from paypath.template_ci.results import CaseResult
from paypath.template_ci.running import Progress, Said

_width = 30


def progress(*, quiet: bool) -> Said:
    """Return what shows progress; nothing if *quiet*."""
    terminal = sys.stderr.isatty()

    def said(now: Progress) -> None:
        if quiet:
            return
        if not terminal:
            if now.ended is not None:
                click.echo(f"{now.done}/{now.steps} {line(now.ended)}", err=True)
            return
        if now.ended is not None and now.ended.red:
            click.echo(f"\r\x1b[K{click.style(line(now.ended), fg='red')}", err=True)
        full = _width * now.done // now.steps
        bar = "█" * full + "░" * (_width - full)
        name = now.ended.case.name[:40] if now.ended is not None else ""
        end = "\r\x1b[K" if now.done == now.steps else ""
        click.echo(f"\r\x1b[K{bar} {now.done}/{now.steps} {name}{end}", nl=False, err=True)

    return said


def line(result: CaseResult) -> str:
    """Return one line about a case: its name, how it stands, and the steps that failed."""
    if result.red:
        return f"{result.case.name}: red: {', '.join(step.step for step in result.red)}"
    return f"{result.case.name}: {result.state}" + (f" ({result.note})" if result.conflicts else "")
