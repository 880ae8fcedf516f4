"""The little Markdown that a reference page needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_code = re.compile(r"(`[^`]*`)")
_parameter = re.compile(r"(\*\w+\*)")
_url = re.compile(r"(?<!`)\b[a-z]+://[^\s;,`]+")
_marked = re.compile(r"([*<\[])")


def document(*blocks: str) -> str:
    """Return the blocks with an empty line between them; empty blocks are left out."""
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell is Markdown, of which only the bars are escaped."""
    return "\n".join(
        ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        + ["|" + "|".join(f" {_barless(cell)} " if cell else " " for cell in row) + "|" for row in rows]
    )


def code(text: str) -> str:
    """Return *text* as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def prose(text: str) -> str:
    """Return a docstring's words as Markdown: URLs as code, ``*name*`` stressed, no other markup."""
    parts = _code.split(text.replace("``", "`"))
    return "".join(part if place % 2 else _plain(part) for place, part in enumerate(parts)).strip()


def _plain(text: str) -> str:
    """Return *text*, in which no code is marked, as Markdown."""
    parts = _code.split(_url.sub(lambda found: code(found[0]), text))
    return "".join(
        part if place % 2 else "".join(map(_escaped, _parameter.split(part)))
        for place, part in enumerate(parts)
    )


def _escaped(text: str) -> str:
    return text if _parameter.fullmatch(text) else _marked.sub(r"\\\1", text)


def _barless(cell: str) -> str:
    return cell.replace("|", "\\|")
