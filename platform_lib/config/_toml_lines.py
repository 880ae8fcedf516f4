"""Find the lines on which the keys of a TOML file stand; `tomllib` does not tell."""

from __future__ import annotations

import re

_header = re.compile(r"\s*\[\[?\s*(?P<keys>[^\]]+?)\s*\]\]?\s*(?:#.*)?")
_assignment = re.compile(
    r"""\s*(?P<keys>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_key = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
    """Return the line, counted from 1, on which each key of the valid TOML *text* is assigned or opened."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    open_quotes = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if open_quotes:
            if line.count(open_quotes) % 2:
                open_quotes = ""
            continue
        if header := _header.fullmatch(line):
            table = _split(header["keys"])
            lines.setdefault(table, number)
        elif assignment := _assignment.match(line):
            lines.setdefault((*table, *_split(assignment["keys"])), number)
        open_quotes = next((quotes for quotes in ('"""', "'''") if line.count(quotes) % 2), "")
    return lines


def _split(keys: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in _key.findall(keys))
