"""Show the values of a configuration with where they came from, secrets masked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from platform_lib.config._expectations import expectation
from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._layer import Found
from platform_lib.config._load import origins
from platform_lib.config._origins import Origin
from platform_lib.config._reference import quoted
from platform_lib.config._secret import Dsn, Secret, masked
from platform_lib.config._settings import Settings
from platform_lib.config._stack import Stack, place
from platform_lib.config._values import plain, readable, value_at

_dim, _plain = "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Value:
    """One setting as it may be shown: nothing in the texts is secret."""

    leaf: Leaf = field(repr=False)
    text: str
    plain: Any
    origin: Origin

    @property
    def place(self) -> str:
        """Return where it came from, in words."""
        return "default" if self.origin.source == "default" else place(self.origin)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "value": self.plain,
            "source": self.origin.source,
            "location": self.origin.location,
            "overridden": [
                {"source": loser.source, "location": loser.location} for loser in self.origin.overridden
            ],
            "secret": self.leaf.secret,
        }


def values(settings: Settings, stack: Stack) -> list[Value]:
    """Return every value of *settings*, which were made of *stack*."""
    trail = origins(settings)
    return [
        Value(
            leaf,
            readable(leaf, value_at(settings, leaf.path), stack.scrub),
            plain(leaf, value_at(settings, leaf.path), stack.scrub),
            trail[leaf.dotted],
        )
        for leaf in leaves(type(settings))
    ]


def masked_values(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return every value of *settings* by its dotted name, as JSON has it, with where it came from.

    Shape: ``{"http.port": {"value": 8080, "source": "default", "location": …, "overridden": [], "secret":
    false}}``. Guarantee: no secret is in it, not even where another setting repeats one.
    """
    stack = Stack()
    for leaf in leaves(type(settings)):
        stack.found[leaf.path] = [
            Found(leaf, value_at(settings, leaf.path), Origin("default", ""), textual=False)
        ]
    trail = origins(settings)
    return {
        leaf.dotted: Value(
            leaf,
            "",
            plain(leaf, value_at(settings, leaf.path), stack.scrub),
            trail.get(leaf.dotted, Origin("override", "in code")),
        ).as_json()
        for leaf in leaves(type(settings))
    }


def as_table(shown: Sequence[Value], *, colours: bool) -> str:
    """Return a line for each value; with *colours* the defaults step back."""
    names = max(len(value.leaf.dotted) for value in shown)
    texts = min(max(len(value.text) for value in shown), 48)
    lines = []
    for value in shown:
        line = f"{value.leaf.dotted:<{names}}  {value.text:<{texts}}  {value.place}"
        lines.append(f"{_dim}{line}{_plain}" if colours and value.origin.source == "default" else line)
    return "\n".join(lines) + "\n"


def as_env(shown: Sequence[Value], prefix: str) -> str:
    """Return an assignment for each value; a secret is a comment, so that no mask is ever taken for one."""
    lines = []
    for value in shown:
        hidden = "#" if value.leaf.secret or value.plain is None else ""
        lines.append(f"{hidden}{value.leaf.variable(prefix)}={quoted(value.text)}")
    return "\n".join(lines) + "\n"


def as_toml(shown: Sequence[Value]) -> str:
    """Return the values as a ``config.toml``; secrets are comments."""
    ordered = sorted(shown, key=lambda value: len(value.leaf.path) > 1)  # TOML wants the root's keys first
    blocks = []
    for table, members in groupby(ordered, key=lambda value: value.leaf.path[:-1]):
        lines = [f"[{'.'.join(table)}]"] if table else []
        for value in members:
            hidden = "# " if value.leaf.secret or value.plain is None else ""
            lines.append(f"{hidden}{value.leaf.path[-1]} = {_toml(_written(value))}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def story(leaf: Leaf, settings_type: type[Settings], stack: Stack) -> dict[str, Any]:
    """Return all there is to know about one setting; works with a configuration that cannot be used too."""
    found = [
        {"place": stack.scrub(place(item.origin)), "value": _raw(leaf, item.value, stack)}
        for item in reversed(stack.found.get(leaf.path, []))
    ]
    default = None if leaf.required else readable(leaf, leaf.default)
    return {
        "field": leaf.dotted,
        "value": found[0]["value"] if found else default,
        "description": leaf.description,
        "variable": leaf.variable(settings_type.variable_prefix),
        "option": None if leaf.secret else f"--{leaf.dotted}",
        "expected": expectation(leaf.annotation, leaf.metadata),
        "secret": leaf.secret,
        "default": default,
        "reloadable": leaf.reloadable,
        "found_in": found,
    }


def as_story(told: Mapping[str, Any]) -> str:
    """Return what `story` found out as lines."""
    winner, *losers = told["found_in"] or [{"place": "the default"}]
    rows = [
        ("variable", told["variable"]),
        ("option", told["option"] or "none: secrets are no options"),
        ("expected", told["expected"] + (", secret" if told["secret"] else "")),
        ("default", "none, it must be set" if told["default"] is None else told["default"] or "empty"),
        ("change", "while it runs" if told["reloadable"] else "needs a restart"),
        ("from", winner["place"] if told["found_in"] or told["default"] is not None else "nowhere"),
        *(("over", f"{loser['place']}: {loser['value']}") for loser in losers),
    ]
    value = "not set" if told["value"] is None else told["value"]
    lines = [f"{told['field']} = {value}", *([f"  {told['description']}"] if told["description"] else [])]
    return "\n".join(lines + [f"  {name:<9} {text}" for name, text in rows]) + "\n"


def _raw(leaf: Leaf, value: Any, stack: Stack) -> str:
    """Return what a source holds, which may be no valid value at all."""
    if leaf.secret:
        # What should have been a DSN may be anything, so that only a valid one is shown in part.
        return str(value) if isinstance(value, Secret | Dsn) else masked
    if isinstance(value, str):
        return str(plain(leaf, value, stack.scrub))
    return json.dumps(plain(leaf, value, stack.scrub), ensure_ascii=False)


def _written(value: Value) -> Any:
    is_number = isinstance(value.plain, int | float) and not isinstance(value.plain, bool)
    return (
        value.text if value.plain is None or (is_number and value.text != str(value.plain)) else value.plain
    )


def _toml(value: Any) -> str:
    match value:
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            pairs = ", ".join(f"{json.dumps(str(key))} = {_toml(inner)}" for key, inner in value.items())
            return f"{{{pairs}}}"
    return json.dumps(value, ensure_ascii=False)
