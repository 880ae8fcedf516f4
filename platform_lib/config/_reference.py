"""The reference of a settings class: Markdown tables, and the template of an environment file."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, get_args

from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._markdown import code, document, prose, table
from platform_lib.config._section import Section
from platform_lib.config._settings import Settings
from platform_lib.config._values import readable
from platform_lib.config._variables import Variable, environment_variables

_head = ("setting", "variable", "type", "default", "secret", "reload", "meaning")
_example = re.compile(r" such as .*?(?=, (?:from|at least|at most|more than|less than)|$)")
_pattern = re.compile(r"matching (\S+)$")
_quotable = re.compile(r"""\s|^['"]|#""")

Row = tuple[Leaf, Variable]


def markdown(settings_type: type[Settings]) -> str:
    """Return a heading and a table for each group of settings."""
    blocks: list[str] = []
    for group, rows in _groups(settings_type):
        blocks += [_heading(settings_type, group), table(_head, [_row(*row) for row in rows])]
    return document(*blocks)


def additions(settings_type: type[Settings], beyond: type[Settings]) -> str:
    """Return one table of the settings that *beyond* has not, or has with another default or meaning."""
    known = {row[:1] + row[2:] for _, rows in _groups(beyond) for row in (_row(*one) for one in rows)}
    rows = [_row(*one) for _, group in _groups(settings_type) for one in group]
    return table(_head, [row for row in rows if row[:1] + row[2:] not in known])


def example(settings_type: type[Settings]) -> str:
    """Return the text of an ``.env.example``: defaults commented out, what must be set left empty."""
    lines = [
        f"# Settings of {settings_type.__name__}. A line that is commented out shows the default;",
        "# one that is not must be set.",
    ]
    for group, rows in _groups(settings_type):
        purpose = _purpose(settings_type, group)
        lines += ["", f"# {group or 'the process'}" + (f": {purpose}" if purpose else "")]
        for leaf, variable in rows:
            notes = [variable.type, *(["secret"] if leaf.secret else [])]
            if leaf.path == ("environment",):
                notes.append("not read from .env")
            lines += ["", f"# {leaf.description or leaf.dotted} ({'; '.join(notes)})"]
            if leaf.required:
                lines.append(f"{variable.name}=")
            else:
                lines.append(f"#{variable.name}={quoted(readable(leaf, leaf.default))}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return *text* as the value of a line of ``.env``."""
    if not _quotable.search(text):
        return text
    return f"'{text}'" if "'" not in text else f'"{text}"'


def public_name(kind: type) -> str:
    """Return the shortest dotted name by which *kind* can be imported."""
    parts = kind.__module__.split(".")
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        if getattr(importlib.import_module(package), kind.__name__, None) is kind:
            return f"{package}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__name__}"


def section_at(settings_type: type[Section], path: str) -> type[Section] | None:
    """Return the class of the group of settings at the dotted *path*, None if it is none."""
    name, _, rest = path.partition(".")
    annotation: Any = settings_type.model_fields[name].annotation
    kinds: Sequence[Any] = (annotation, *get_args(annotation))
    found = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)
    return section_at(found, rest) if found is not None and rest else found


def _groups(settings_type: type[Settings]) -> Iterator[tuple[str, Iterator[Row]]]:
    rows = zip(leaves(settings_type), environment_variables(settings_type), strict=True)
    yield from groupby(rows, lambda row: ".".join(row[0].path[:-1]))


def _purpose(settings_type: type[Settings], group: str) -> str:
    section = section_at(settings_type, group) if group else None
    return " ".join((section.__doc__ or "").split("\n\n")[0].split()) if section else ""


def _heading(settings_type: type[Settings], group: str) -> str:
    section = section_at(settings_type, group) if group else None
    if section is None:
        return "## The process"
    purpose = prose(_purpose(settings_type, group))
    return f"## {group}\n\n{purpose}\nThe class is `{public_name(section)}`."


def _row(leaf: Leaf, variable: Variable) -> tuple[str, ...]:
    return (
        code(variable.field),
        code(variable.name),
        _type(variable),
        "**must be set**" if leaf.required else code(readable(leaf, leaf.default)) or "empty",
        "yes" if variable.secret else "",
        "yes" if variable.reloadable else "",
        _sentence(variable.description),
    )


def _type(variable: Variable) -> str:
    text = _example.sub("", variable.type)
    if text.startswith("one of "):
        return ", ".join(map(code, text.removeprefix("one of ").split(", ")))
    text = _pattern.sub(lambda found: f"matching {code(found[1])}", text)
    kind, comma, limits = text.removeprefix("an ").removeprefix("a ").partition(", ")
    return f"{kind.removeprefix('secret ')}{comma}{limits}"


def _sentence(description: str) -> str:
    """Return *description* in the one form of the tables: a capital where a word begins it, no full stop."""
    text = prose(description).removesuffix(".")
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
