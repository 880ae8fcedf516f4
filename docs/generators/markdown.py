"""The Markdown of the pages: that of the settings, and what only the other pages need."""

from __future__ import annotations

from platform_lib.config._markdown import code, document, prose, table

__all__ = ["block", "code", "document", "first_line", "prose", "table"]


def block(language: str, text: str) -> str:
    """Return *text* as a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def first_line(docstring: str | None) -> str:
    """Return the first line of *docstring* as Markdown; nothing if there is none."""
    return prose((docstring or "").strip().partition("\n")[0])
