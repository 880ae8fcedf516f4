"""Find where in a JSON text something stands that the decoder can refuse but not locate.

Runs after a refusal only (and, for the depth, on texts with many brackets), so it may be slower than the
decoder; it is linear in the text whatever the text is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

# Possessive, so that an unterminated string is scanned once and not once for every quotation mark in it.
_string = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_bracket = re.compile(_string + r"|[\[\]{}]", re.DOTALL)
_lexeme = re.compile(_string + r"|[\[\]{},:]|[^\s\[\]{},:\"]+", re.DOTALL)


def too_deep(text: str, max_depth: int) -> int | None:
    """Return the position of the first bracket nested deeper than *max_depth*, or None."""
    if text.count("[") + text.count("{") <= max_depth:
        return None
    depth = 0
    for match in _bracket.finditer(text):
        match match.group()[0]:
            case "[" | "{":
                depth += 1
                if depth > max_depth:
                    return match.start()
            case "]" | "}":
                depth -= 1
    return None


def repeated_name(text: str) -> int:
    """Return the position of the first name that its object already has, 0 if there is none."""
    seen: list[set[str]] = []
    waiting: tuple[str, int] | None = None  # a string that is a name if a colon follows
    for lexeme, position in _lexemes(text):
        if lexeme == ":" and waiting is not None:
            name = json.loads(waiting[0])
            if name in seen[-1]:
                return waiting[1]
            seen[-1].add(name)
        elif lexeme in "[{":
            seen.append(set())
        elif lexeme in "]}":
            seen.pop()
        waiting = (lexeme, position) if lexeme[0] == '"' else None
    return 0


def first_lexeme(text: str, is_wanted: Callable[[str], bool]) -> int:
    """Return the position of the first lexeme that *is_wanted* accepts, 0 if there is none."""
    return next((position for lexeme, position in _lexemes(text) if is_wanted(lexeme)), 0)


def _lexemes(text: str) -> Iterator[tuple[str, int]]:
    for match in _lexeme.finditer(text):
        yield match.group(), match.start()
