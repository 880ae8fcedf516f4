"""The command `paypath`: one file per command, loaded when it is called.

To add a command, write it as a `click` command in a file of this folder and name it in `commands`.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

commands = {
    "new": "paypath.cli.new:new",
    "add": "paypath.cli.add:add",
    "remove": "paypath.cli.remove:remove",
    "templates": "paypath.cli.templates:templates",
    "upgrade": "paypath.cli.upgrade:upgrade",
    "fleet": "paypath.cli.fleet:fleet",
    "adopt": "paypath.cli.adopt:adopt",
    "doctor": "paypath.cli.doctor:doctor",
    "demo": "paypath.cli.demo:demo",
    "completion": "paypath.cli.completion:completion",
}


class _LazyGroup(click.Group):
    """A group that imports a command when somebody wants it, so that the others cost it nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the interface
        return list(commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the same
        if cmd_name not in commands:
            return None
        module, _, attribute = commands[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


def _tell_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001  # click's
    if value and not ctx.resilient_parsing:
        from paypath.cli.version import installed_version  # noqa: PLC0415  # the only one who wants it

        click.echo(f"{ctx.find_root().info_name} {installed_version()}")
        ctx.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        # https://no-color.org: present and not empty; otherwise click colours terminals only.
        "color": False if os.environ.get("NO_COLOR") else None,
    },
    epilog="Exit codes: 0 done, 1 it failed, 2 bad input.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_tell_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Generate payment services in Python, and keep them on the golden path."""
