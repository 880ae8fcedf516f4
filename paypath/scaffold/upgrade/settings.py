"""A setting that has another name now, in the files that configure a service and in those that tell of it.

A setting `http.timeout` of the package `shop` is the variable `SHOP_HTTP_TIMEOUT`, the option
`--http.timeout` and the key `timeout` of the table `[http]` in TOML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

_table = re.compile(r"^\s*\[(?P<name>[\w.\-]+)\]\s*(#.*)?$")


def setting_patterns(settings: Mapping[str, str], package: str | None) -> list[re.Pattern[str]]:
    """Return what a file may hold that configures or names one of *settings*."""
    return [
        pattern
        for old in settings
        for pattern in (
            re.compile(rf"\b{_variable(old, package)}\b"),
            re.compile(rf"\b{re.escape(old)}\b"),
            re.compile(rf"\b{re.escape(old.rpartition('.')[2])}\b"),
        )
    ]


def with_settings(path: str, text: str, settings: Mapping[str, str], package: str | None) -> str:
    """Return the file *text* at *path* with each of *settings* under its new name."""
    for old, new in settings.items():
        if package:
            text = re.sub(rf"\b{_variable(old, package)}\b", _variable(new, package), text)
        text = re.sub(rf"(?<=--){re.escape(old)}(?=[\s=\"'`,)]|$)", new, text, flags=re.MULTILINE)
        text = re.sub(rf"(?<=`){re.escape(old)}(?=`)", new, text)
        if PurePath(path).suffix == ".toml" and PurePath(path).name != "pyproject.toml":
            text = _in_toml(text, old, new)
    return text


def _variable(setting: str, package: str | None) -> str:
    return f"{package.upper() if package else '[A-Z0-9_]+'}_{setting.replace('.', '_').upper()}"


def _in_toml(text: str, old: str, new: str) -> str:
    """Rename a key line by line, so that comments and order stay; both names must be in one table."""
    table, _, key = old.rpartition(".")
    new_table, _, new_key = new.rpartition(".")
    if table != new_table:
        return text
    here = ""
    lines = []
    for line in text.splitlines(keepends=True):
        if heading := _table.match(line):
            here = heading["name"]
        changed = line
        if here == table:
            changed = re.sub(rf"^(\s*){re.escape(key)}(?=\s*=)", rf"\g<1>{new_key}", line)
        elif not here:
            changed = re.sub(rf"^(\s*){re.escape(old)}(?=\s*=)", rf"\g<1>{new}", line)
        lines.append(changed)
    return "".join(lines)
