"""`python -m paypath.releasing VERSION`: release the platform; `make release VERSION=X.Y.Z` calls it."""

from __future__ import annotations

from pathlib import Path

import click

import paypath
from paypath.cli.output import row, telling_errors
from paypath.releasing.perform import make_check, release, render_examples
from paypath.releasing.plan import plan_past_release, plan_release
from platform_lib.clock import SystemClock


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 released, or planned; 1 it failed; 2 refused. After 1 and 2 nothing was changed.",
)
@click.argument("version")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--at",
    metavar="COMMIT",
    help="Record that COMMIT, in the past, was this version; its tree must carry the version already.",
)
@click.option("--branch", default="main", show_default=True, help="The branch that releases are made on.")
@click.option("--date", help="Day of the release, YYYY-MM-DD  [today; with --at the day of COMMIT]")
def main(*, version: str, dry_run: bool, at: str | None, branch: str, date: str | None) -> None:
    """Release the platform as VERSION, three numbers such as 0.2.0.

    Runs `make check`; sets the version wherever it stands; makes the changelog's Unreleased the version's
    section; renders the examples; commits, and tags the commit vVERSION; records version, commit and hash of
    the templates in templates/releases.json with a commit that follows. Nothing is pushed.
    """
    root = Path(paypath.__file__).resolve().parents[1]
    with telling_errors():
        if at is not None:
            plan = plan_past_release(root, version, at, date=date, branch=branch)
        else:
            today = date or SystemClock().now().date().isoformat()
            plan = plan_release(root, version, date=today, branch=branch)
        verb = "Would release" if dry_run else "Releasing"
        click.echo(f"{verb} {version}" + (f", after {plan.before}" if plan.before else ""))
        row("commit", plan.commit or "a new one")
        row("date", plan.date)
        row("files", ", ".join(plan.files) or "none")
        row("changelog", f"{sum(line.startswith('- ') for line in plan.section.splitlines())} entries")
        if dry_run:
            return
        made = release(
            root,
            plan,
            check=make_check,
            examples=render_examples,
            say=lambda text: click.echo(f"  ✓ {text}"),
        )
    click.echo(f"Released {made.version}: {made.commit[:12]}, templates {made.template_hash[:12]}")
    click.echo(f"\nNext:\n  git push --atomic origin {branch} {made.tag}")


if __name__ == "__main__":
    main(prog_name="python -m paypath.releasing")
