"""What commands say and where: results on stdout; notes and errors, one clear message each, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click


class Failed(click.ClickException):
    """It could not be done."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on stderr."""
        heading = click.style("error:", fg="red", bold=True)
        click.echo(f"{heading} {self.format_message()}", file=file, err=True, color=self.show_color)


class Refused(Failed):
    """What was asked for cannot be done."""

    exit_code = 2


@contextmanager
def telling_errors() -> Iterator[None]:
    """Turn what the scaffold raises on purpose into a message and an exit code."""
    from paypath.scaffold import BadInput, ScaffoldError  # noqa: PLC0415  # only commands that render need it

    try:
        yield
    except BadInput as error:
        raise Refused(str(error)) from error
    except ScaffoldError as error:
        raise Failed(str(error)) from error


def note(text: str) -> None:
    """Say on stderr what the user should know."""
    click.echo(f"{click.style('note:', fg='yellow')} {text}", err=True)


def row(label: str, value: str) -> None:
    """Print one indented line: a dim label, then its value."""
    click.echo(f"  {click.style(label.ljust(16), dim=True)}{value}")
