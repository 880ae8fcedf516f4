"""The options that say which templates are meant; the same for every command that reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Where:
    """Which templates are meant; the arguments of `paypath.scaffold.new` and `kinds`."""

    source: str | None
    ref: str | None
    worktree: bool


online_option = click.option(
    "--online/--offline",
    "online",
    default=None,
    help="Ask the template's source, or read only what this tool carries  [what it carries, where enough]",
)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--source`, `--ref` and `--worktree`, which the command gets as one argument, *where*."""

    @click.option("--source", metavar="URL|FOLDER", help="Where the templates are  [where this tool is from]")
    @click.option("--ref", help="Tag, branch or commit of the source  [HEAD; of a URL its newest release]")
    @click.option("--worktree", is_flag=True, help="Take the source's files as they are, committed or not.")
    @wraps(command)
    def with_where(*, source: str | None, ref: str | None, worktree: bool, **others: Any) -> Any:
        return command(where=Where(source, ref, worktree), **others)

    return with_where
