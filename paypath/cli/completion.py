"""`paypath completion`: the script that completes `paypath` in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from paypath.cli.output import Failed


@click.command(epilog="Exit codes: 0 printed; 1 the shell is too old; 2 bad input.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  eval "$(paypath completion bash)"    in ~/.bashrc
    zsh:   eval "$(paypath completion zsh)"     in ~/.zshrc, after compinit
    fish:  paypath completion fish > ~/.config/fish/completions/paypath.fish
    """  # noqa: D301  # \b is click's sign not to rewrap what follows
    root = ctx.find_root().command
    script = get_completion_class(shell)
    if script is None:
        raise Failed(f"completion: this click knows no {shell}; upgrade click")
    click.echo(script(root, {}, "paypath", "_PAYPATH_COMPLETE").source())
