"""`paypath adopt`: bring a service under management that no upgrade knows yet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paypath.cli.answering import pair
from paypath.cli.output import note, row, telling_errors
from paypath.cli.source_options import online_option

if TYPE_CHECKING:
    from paypath.scaffold.upgrade import Adoption

_shown = 5


@click.command(epilog="Exit codes: 0 found, or done with --yes; 1 it failed; 2 bad input.")
@click.argument("service", type=click.Path(path_type=Path), default=Path())
@click.option("--source", metavar="URL|FOLDER", help="Where its template is  [where this tool is from]")
@online_option
@click.option("-d", "--data", "pairs", metavar="NAME=ANSWER", multiple=True, help="An answer that you know.")
@click.option("--yes", is_flag=True, help="Make the branch paypath/adopt with the answers file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def adopt(
    *,
    service: Path,
    source: str | None,
    online: bool | None,
    pairs: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Find out which template version, and which answers, SERVICE is nearest to.

    For a service that cookiecutter, cruft or somebody's hands made. Every release is rendered with the
    answers
    that the service's own files suggest, and the nearest one is shown, with the answers file as a diff. --yes
    commits that file on the branch paypath/adopt; your work tree is not touched. Once it is merged,
    `paypath upgrade` works as for any other service.
    """
    from paypath.scaffold import installed_source  # noqa: PLC0415  # keeps `--help` quick
    from paypath.scaffold.upgrade import adopt as commit_adoption  # noqa: PLC0415
    from paypath.scaffold.upgrade import carried_note, find_adoption, find_service, upgrade_run  # noqa: PLC0415

    with telling_errors(), upgrade_run() as run:
        found = find_adoption(
            run,
            find_service(service),
            source or installed_source(),
            given=dict(map(pair, pairs)),
            online=online,
            said=lambda line: note(line) if sys.stderr.isatty() else None,
        )
        commit = commit_adoption(found) if yes else None
    if as_json:
        click.echo(json.dumps(_document(found, commit)))
        return
    _tell(found)
    if found.carried_by:
        note(carried_note(found.carried_by))
    if commit:
        click.echo(f"\nThe answers file is on the branch paypath/adopt ({commit[:12]}).")
        click.echo("\nNext:\n  git merge paypath/adopt\n  paypath upgrade --plan")
    else:
        click.echo("\nNext:\n  paypath adopt --yes")


def _tell(found: Adoption) -> None:
    import difflib  # noqa: PLC0415  # keeps `paypath --help` quick

    best = found.best
    name = click.style(found.service.name, fg="green", bold=True)
    click.echo(f"{name} is nearest to {best.version}: {best.distance.share:.0%} of its lines are as rendered")
    for question, answer in best.answers.items():
        row(question, str(answer))
    differ = best.distance.changed
    if differ:
        row(
            "differ",
            f"{len(differ)} files: {', '.join(differ[:_shown])}{', …' if len(differ) > _shown else ''}",
        )
    if best.distance.missing:
        row("missing", f"{len(best.distance.missing)} files: {', '.join(best.distance.missing[:_shown])}")
    for other in found.others[:_shown]:
        row(other.version, f"{other.distance.share:.0%}, {other.distance.lines} lines away")
    click.echo()
    old = (found.service.text or "").splitlines(keepends=True)
    diff = difflib.unified_diff(
        old, found.answers_text.splitlines(keepends=True), "before", ".copier-answers.yml"
    )
    click.echo("".join(diff), nl=False)


def _document(found: Adoption, commit: str | None) -> dict[str, Any]:
    return {
        "service": found.service.name,
        "source": found.source,
        "carried_by": found.carried_by,
        "made_by": found.made_by,
        "version": found.best.version,
        "share": round(found.best.distance.share, 4),
        "lines": found.best.distance.lines,
        "answers": dict(found.best.answers),
        "changed": list(found.best.distance.changed),
        "missing": list(found.best.distance.missing),
        "others": [{"version": each.version, "lines": each.distance.lines} for each in found.others],
        "branch": "paypath/adopt" if commit else None,
        "commit": commit,
    }
