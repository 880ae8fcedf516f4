"""Make the settings out of what was found, and say in our own words what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from platform_lib import strict_json
from platform_lib.config._expectations import expectation
from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._fields import Path as FieldPath
from platform_lib.config._origins import Origin, Trail
from platform_lib.config._report import Mistake
from platform_lib.config._settings import Settings
from platform_lib.config._stack import Stack
from platform_lib.redaction import redact

S = TypeVar("S", bound=Settings)

_longest_shown = 60
_our_own_types = ("must be", "must not be")


def build(settings_type: type[S], stack: Stack) -> tuple[S | None, list[Mistake]]:
    """Return the settings, or None and everything that is wrong."""
    mistakes = list(stack.mistakes)
    table = {leaf.path: leaf for leaf in leaves(settings_type)}
    values: dict[FieldPath, Any] = {}
    unreadable: set[FieldPath] = set()
    for leaf in table.values():
        item = stack.strongest(leaf.path)
        if item is None:
            continue
        try:
            values[leaf.path] = _from_text(leaf, item.value) if item.textual else item.value
        except ValueError:
            unreadable.add(leaf.path)
            mistakes.append(_wrong_value(leaf, stack, settings_type.variable_prefix))
    settings: S | None = None
    try:
        settings = settings_type.model_validate(_nested(table, values))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        mistakes += [
            mistake
            for detail in details
            if (mistake := _from_detail(settings_type, table, detail, stack, unreadable, values)) is not None
        ]
    except Exception as error:  # noqa: BLE001  # a service's own validator may raise anything; its text may hold a secret
        mistakes.append(
            Mistake(settings_type.__name__, f"a validator raised {type(error).__name__}", "correct it")
        )
    if mistakes or settings is None:
        return None, mistakes
    settings._trail = Trail(_origins(table, stack, settings_type))  # noqa: SLF001  # the class keeps it for origins()
    return settings, []


def _from_text(leaf: Leaf, text: str) -> Any:
    if leaf.shape == "text":
        return text
    text = text.strip()
    if leaf.shape == "json" or (leaf.shape == "list" and text.startswith("[")):
        return strict_json.loads(text, allow_floats=True)
    if leaf.shape == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _nested(table: Mapping[FieldPath, Leaf], values: Mapping[FieldPath, Any]) -> dict[str, Any]:
    """Return *values* as pydantic wants them, with every section, so that a value is missed in its place."""
    data: dict[str, Any] = {}
    for path, leaf in table.items():
        absent = leaf.optional_section
        if absent is not None and not any(given[: len(absent)] == absent for given in values):
            continue
        section = data
        for name in path[:-1]:
            section = section.setdefault(name, {})
        if path in values:
            section[path[-1]] = values[path]
        elif leaf.inherited:
            section[path[-1]] = leaf.default
    return data


def _from_detail(
    settings_type: type[Settings],
    table: Mapping[FieldPath, Leaf],
    detail: Mapping[str, Any],
    stack: Stack,
    unreadable: set[FieldPath],
    values: Mapping[FieldPath, Any],
) -> Mistake | None:
    """Say what pydantic found in our words; its own text quotes Python names and sometimes values."""
    location = tuple(str(part) for part in detail["loc"])
    path = next((location[:end] for end in range(len(location), 0, -1) if location[:end] in table), None)
    own_words = str(detail["ctx"]["error"]) if detail["type"] in {"value_error", "assertion_error"} else ""
    if path is None:
        # A validator of a whole section: any of its fields may be the wrong one.
        inside = [
            stack.places(inner)[0]
            for inner in table
            if inner[: len(location)] == location and inner in values
        ]
        return Mistake(
            ".".join(location) or settings_type.__name__,
            redact(own_words) or "is not valid",
            found_in=(", ".join(inside),) if inside else (),
        )
    leaf, prefix = table[path], settings_type.variable_prefix
    if path in unreadable:
        return None  # reported already, with what it should have been
    if path not in values and leaf.required:
        return Mistake(
            leaf.dotted, "no value given", _how_to_set(leaf, prefix), variable=leaf.variable(prefix)
        )
    if leaf.secret or own_words.startswith(_our_own_types):
        own_words = ""
    return _wrong_value(leaf, stack, prefix, own_words)


def _wrong_value(leaf: Leaf, stack: Stack, prefix: str, own_words: str = "") -> Mistake:
    item = stack.strongest(leaf.path)
    shown = _shown(leaf, item.value if item else leaf.default)
    fact = f"{shown} is not valid: {redact(own_words)}" if own_words else f"{shown} is not valid"
    expected = f"expected {expectation(leaf.annotation, leaf.metadata)}"
    return Mistake(leaf.dotted, fact, expected, stack.places(leaf.path), leaf.variable(prefix))


def _shown(leaf: Leaf, value: Any) -> str:
    if leaf.secret:
        return "the value (not shown, it is secret)"
    text = redact(repr(value))
    return text if len(text) <= _longest_shown else f"{text[:_longest_shown]}…"


def _how_to_set(leaf: Leaf, prefix: str) -> str:
    name = leaf.variable(prefix)
    if leaf.secret:
        return f"set {name} in the environment, or put it in a file of that name in the secrets directory"
    return f"set {name} in the environment, or {leaf.dotted} in config.toml"


def _origins(
    table: Mapping[FieldPath, Leaf], stack: Stack, settings_type: type[Settings]
) -> Mapping[str, Origin]:
    trail: dict[str, Origin] = {}
    for path, leaf in table.items():
        places = [item.origin for item in reversed(stack.found.get(path, []))]
        if places:
            trail[leaf.dotted] = Origin(places[0].source, places[0].location, tuple(places[1:]))
        else:
            trail[leaf.dotted] = Origin("default", f"{settings_type.__name__}.{leaf.dotted}")
    return MappingProxyType(trail)
