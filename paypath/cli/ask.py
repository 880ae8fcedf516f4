"""Questions on the terminal: the only place that asks any, and none is asked where there is no terminal."""

from __future__ import annotations

import sys

import click


def can_ask() -> bool:
    """Tell whether somebody sits there who could answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirmed(question: str) -> bool:
    """Ask *question*, whose answer is no unless it is yes."""
    return click.confirm(question)
