"""`CHANGELOG.md`: what stands under Unreleased becomes a version's section."""

from __future__ import annotations

import re

_unreleased = "## Unreleased"
_section = re.compile(r"^## ", re.MULTILINE)


def unreleased(text: str) -> str:
    """Return what stands under Unreleased, headings included; empty where nothing does."""
    _, heading, rest = text.partition(f"{_unreleased}\n")
    if not heading:
        return ""
    following = _section.search(rest)
    return (rest[: following.start()] if following else rest).strip()


def has_entries(section: str) -> bool:
    """Tell whether a section says anything below its headings."""
    return any(line.startswith(("- ", "* ")) for line in section.splitlines())


def has_version(text: str, version: str) -> bool:
    """Tell whether *version* has its section already."""
    return re.search(rf"^## {re.escape(version)}\b", text, re.MULTILINE) is not None


def with_section(text: str, version: str, date: str, section: str, left: str) -> str:
    """Return the changelog with *section* as that of *version*, and *left* under Unreleased."""
    before, heading, rest = text.partition(f"{_unreleased}\n")
    following = _section.search(rest)
    older = rest[following.start() :] if following else ""
    parts = [f"{before}{heading}", left, f"## {version} - {date}", section, older.strip()]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def without(section: str, taken: str) -> str:
    """Return *section* without the entries that *taken* holds, and without headings that this leaves empty.

    An entry is one line, as in this changelog.
    """
    gone = {line for line in taken.splitlines() if line.startswith(("- ", "* "))}
    kept: list[str] = []
    for block in re.split(r"^(?=### )", section, flags=re.MULTILINE):
        lines = [line for line in block.splitlines() if line not in gone]
        if any(line.startswith(("- ", "* ")) for line in lines):
            kept.append("\n".join(lines).strip())
    return "\n\n".join(kept)
