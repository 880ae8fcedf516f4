"""Describe a settings class as JSON Schema, for editors that complete and check ``config.toml``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._settings import Settings
from platform_lib.config._values import plain


def json_schema(settings_type: type[Settings]) -> dict[str, Any]:
    """Return the schema, draft 2020-12; no default of a secret is in it.

    A setting that must be set is not marked so: it may be set elsewhere than in the file.
    """
    table = leaves(settings_type)
    adapters = [(leaf.dotted, "validation", TypeAdapter(_annotated(leaf))) for leaf in table]
    schemas, shared = TypeAdapter.json_schemas(adapters)  # type: ignore[arg-type]  # a literal, seen as str
    root: dict[str, Any] = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": settings_type.__name__,
        **_group(),
        **shared,
    }
    for leaf in table:
        group = root
        for name in leaf.path[:-1]:
            group = group["properties"].setdefault(name, _group())
        group["properties"][leaf.path[-1]] = schemas[(leaf.dotted, "validation")] | _about(leaf)
    return root


def _annotated(leaf: Leaf) -> Any:
    return Annotated[(leaf.annotation, *leaf.metadata)] if leaf.metadata else leaf.annotation


def _group() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _about(leaf: Leaf) -> dict[str, Any]:
    about: dict[str, Any] = {"description": leaf.description} if leaf.description else {}
    if leaf.secret:
        about["writeOnly"] = True
    elif not leaf.required and leaf.default is not None:
        about["default"] = plain(leaf, leaf.default)
    return about
