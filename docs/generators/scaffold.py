"""`scaffold.md`: the public names of the tool's Python API, a table a package."""

from __future__ import annotations

from docs.generators.library import gaps_of, tables
from docs.generators.markdown import document

_package = "paypath.scaffold"
_intro = """\
# The tool as a library

The public names of `paypath.scaffold`, a table a package: what the commands of `paypath` do, for scripts.
[Script the tool](../howto/script-the-tool.md) shows them at work.
Their docstrings say the rest: guarantees and errors."""


def page() -> str:
    """Return the page."""
    return document(_intro, *tables(_package))


def gaps() -> list[str]:
    """Return the public names of the tool that have no docstring, or whose docstring owes something."""
    return gaps_of(_package)
