"""List what can be set, for reference pages and for the template of an environment file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from platform_lib.config._expectations import expectation
from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._settings import Settings


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting and the environment variable that sets it.

    Attributes:
        field: the dotted name, as it stands in a TOML file.
        name: the environment variable, and the name of the file in the secrets directory.
        type: what it expects, in words.
        default: the value without any source, as a variable would hold it, masked; None if it must be set.
        secret: whether it belongs in the secrets directory.
        reloadable: whether it may change while the process runs.
        description: what its docstring says.
    """

    field: str
    name: str
    type: str
    default: str | None
    secret: bool
    reloadable: bool
    description: str


def environment_variables(settings_type: type[Settings]) -> list[Variable]:
    """Return every setting of *settings_type* in the order of declaration."""
    return [
        Variable(
            field=leaf.dotted,
            name=leaf.variable(settings_type.variable_prefix),
            type=expectation(leaf.annotation, leaf.metadata),
            default=None if leaf.required else _written(leaf),
            secret=leaf.secret,
            reloadable=leaf.reloadable,
            description=leaf.description,
        )
        for leaf in leaves(settings_type)
    ]


def _written(leaf: Leaf) -> str:
    value: Any = leaf.default
    if value is None:
        return ""
    if leaf.secret:
        # A Secret or Dsn masks itself; a plain text that only looks secret by its name does not.
        return "***" if isinstance(value, str) and value else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return str(getattr(value, "value", value))
