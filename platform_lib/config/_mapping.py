"""Read what is kept as nested names: a TOML file, and the overrides that code passes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from platform_lib.config._fields import Path as FieldPath
from platform_lib.config._layer import Found, Layer, Names, read_text, suggestion
from platform_lib.config._origins import Origin, Source
from platform_lib.config._report import Mistake
from platform_lib.config._toml_lines import lines_of_keys


def read_toml(names: Names, file: Path, *, named_by: str) -> Layer:
    """Read a TOML file; a table is a section."""
    text, mistake = read_text(file)
    if mistake:
        advice = f"make {file} readable, or name another file with {named_by}"
        return Layer(mistakes=[Mistake(mistake.subject, mistake.fact, advice)])
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
        where = f" at {place[1]}" if place else ""
        return Layer(mistakes=[Mistake(file.name, f"is not valid TOML{where}", "correct it")])
    lines = lines_of_keys(text)
    return read_mapping(names, values, source="file", locate=lambda path: _line(file, lines, path))


def read_mapping(
    names: Names, values: Mapping[str, Any], *, source: Source, locate: Callable[[FieldPath], str]
) -> Layer:
    """Read nested mappings of field names; a key may be dotted, and a section object counts as a mapping."""
    layer = Layer()
    _descend(names, values, (), layer, source=source, locate=locate)
    return layer


def _line(file: Path, lines: Mapping[FieldPath, int], path: FieldPath) -> str:
    # An inline table stands on the line of its own key.
    number = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), None)
    return file.name if number is None else f"{file.name}:{number}"


def _descend(
    names: Names,
    values: Mapping[str, Any],
    path: FieldPath,
    layer: Layer,
    *,
    source: Source,
    locate: Callable[[FieldPath], str],
) -> None:
    by_path = names.by_path
    for key, value in values.items():
        here = (*path, *str(key).split("."))
        leaf = by_path.get(here)
        if leaf is not None:
            layer.found.append(Found(leaf, value, Origin(source, locate(here)), textual=False))
            continue
        if not any(known[: len(here)] == here for known in by_path):
            layer.mistakes.append(
                Mistake(
                    ".".join(here),
                    "no such setting" + suggestion(".".join(here), [leaf.dotted for leaf in names.leaves]),
                    found_in=(locate(here),),
                )
            )
        elif isinstance(value, BaseModel):
            given = {name: getattr(value, name) for name in value.model_fields_set}
            _descend(names, given, here, layer, source=source, locate=locate)
        elif isinstance(value, Mapping):
            _descend(names, value, here, layer, source=source, locate=locate)
        else:
            layer.mistakes.append(
                Mistake(
                    ".".join(here),
                    "is a group of settings",
                    "give a table of values",
                    found_in=(locate(here),),
                )
            )
