"""A plan as text on a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter

import click

from paypath.cli.output import row
from paypath.scaffold.upgrade import FileChange, FileClass, Plan, conflict_hunks

_colours = {
    FileClass.CONFLICT: "red",
    FileClass.DELETE_AGAINST_EDIT: "red",
    FileClass.IN_THE_WAY: "red",
    FileClass.MERGED: "yellow",
    FileClass.RENAME_FOLLOWED: "yellow",
    FileClass.MOVED_BY_TEAM: "yellow",
    FileClass.ANSWER_CHANGED: "yellow",
    FileClass.TEMPLATE_ONLY: "cyan",
}


def tell_plan(plan: Plan) -> None:
    """Print what an upgrade would do."""
    name = click.style(plan.service.name, fg="green", bold=True)
    if plan.new == plan.old:
        click.echo(f"{name} is at {plan.old}; {plan.note or 'nothing is newer'}")
        return
    click.echo(f"{name}: {plan.old} → {plan.new}" + (f"  ({plan.note})" if plan.note else ""))
    if plan.changelog:
        click.echo(f"\nWhat changed:\n{textwrap.indent(plan.changelog, '  ')}")
    _tell_answers(plan)
    click.echo("\nFiles:")
    for change in plan.files:
        if change.file_class not in {FileClass.UNCHANGED, FileClass.TEAM_ONLY}:
            _tell_file(change)
    counts = Counter(change.file_class for change in plan.files)
    click.echo("  " + ", ".join(f"{counts[each]} {each.value}" for each in FileClass if counts[each]))
    _tell_codemods(plan)
    if plan.open:
        tell_conflicts(plan)
    else:
        click.echo("\nNext:\n  paypath upgrade")


def _tell_answers(plan: Plan) -> None:
    if plan.answers:
        click.echo("\nAnswers:")
    for answer in plan.answers:
        row(answer.name, f"{_shown(answer.old)} → {_shown(answer.new)}  {answer.why}")


def _tell_codemods(plan: Plan) -> None:
    if plan.codemods:
        click.echo("\nCodemods:")
        for migration in plan.migrations:
            if migration.id in plan.codemods:
                paths = plan.codemods[migration.id]
                row(
                    migration.id,
                    f"{migration.why}  ({len(paths)} file{'' if len(paths) == 1 else 's'} to look at)",
                )


def tell_conflicts(plan: Plan) -> None:
    """Print each conflict with what base, ours and theirs hold, and the ways out."""
    click.echo(f"\n{plan.service.name}: {plan.old} → {plan.new} needs a decision; nothing was changed.")
    for change in plan.open:
        click.echo()
        _tell_file(change)
        for side, text in conflict_hunks(plan, change):
            click.echo(click.style(f"    {side}", dim=True))
            click.echo(textwrap.indent(text.rstrip("\n"), "      │ ", lambda _: True))
    first = plan.open[0].path
    click.echo("\nNext, one of:")
    click.echo(f"  paypath upgrade --ours {first}      # keep your team's file; may be repeated")
    click.echo(f"  paypath upgrade --theirs {first}    # take the template's")
    click.echo("  paypath upgrade --resolve    # edit them, with markers, in a linked work tree")


def _tell_file(change: FileChange) -> None:
    label = click.style(change.file_class.value.ljust(20), fg=_colours.get(change.file_class))
    detail = click.style(f"  {change.detail}", dim=True) if change.detail else ""
    click.echo(f"  {label}{change.path}{detail}")


def _shown(answer: object) -> str:
    return "(none)" if answer is None else str(answer)
