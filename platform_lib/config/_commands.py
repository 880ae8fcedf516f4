"""What ``python -m platform_lib config`` does; nothing here prints a secret."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from platform_lib.config import _show
from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._fingerprint import fingerprint
from platform_lib.config._layer import suggestion
from platform_lib.config._load import Examined, examine, exit_code, origins, sources
from platform_lib.config._reference import example, markdown
from platform_lib.config._schema import json_schema
from platform_lib.config._settings import Settings
from platform_lib.config._variables import environment_variables

_bad_input = 2


class _BadInput(Exception):
    """What was asked for cannot be done, in words."""


def run(options: argparse.Namespace) -> int:
    """Run one command and return its exit code."""
    try:
        return _commands[options.command](_settings_type(options.settings), options)
    except _BadInput as error:
        sys.stderr.write(f"config {options.command}: {error}\n")
        return _bad_input


def _check(settings_type: type[Settings], options: argparse.Namespace) -> int:
    examined = examine(settings_type, sources())
    settings = examined.settings
    if options.json:
        _write_json(
            {
                "usable": settings is not None,
                "fingerprint": fingerprint(settings) if settings else None,
                "mistakes": [dataclasses.asdict(mistake) for mistake in examined.mistakes],
            }
        )
        return 0 if settings else exit_code
    if settings is None:
        return _unusable(examined)
    given = sum(origin.source != "default" for origin in origins(settings).values())
    sys.stdout.write(
        f"{settings_type.__name__}: the configuration can be used; {len(leaves(settings_type))} settings, "
        f"{given} of them set; fingerprint {fingerprint(settings)}\n"
    )
    return 0


def _print(settings_type: type[Settings], options: argparse.Namespace) -> int:
    examined = examine(settings_type, sources())
    if examined.settings is None:
        return _unusable(examined)
    values = _show.values(examined.settings, examined.stack)
    match "json" if options.json else options.format:
        case "json":
            _write_json(
                {
                    "fingerprint": fingerprint(examined.settings),
                    "values": {value.leaf.dotted: value.as_json() for value in values},
                }
            )
        case "env":
            sys.stdout.write(_show.as_env(values, settings_type.variable_prefix))
        case "toml":
            sys.stdout.write(_show.as_toml(values))
        case _:
            sys.stdout.write(_show.as_table(values, colours=_colours()))
    return 0


def _explain(settings_type: type[Settings], options: argparse.Namespace) -> int:
    leaf = _leaf(settings_type, options.key)
    examined = examine(settings_type, sources())
    story = _show.story(leaf, settings_type, examined.stack)
    if options.json:
        _write_json({**story, "usable": examined.settings is not None})
    else:
        sys.stdout.write(_show.as_story(story))
    return 0 if examined.settings else _unusable(examined)


def _docs(settings_type: type[Settings], options: argparse.Namespace) -> int:
    if options.json:
        variables = environment_variables(settings_type)
        _write_json([dataclasses.asdict(variable) for variable in variables])
    else:
        sys.stdout.write(markdown(settings_type))
    return 0


def _schema(settings_type: type[Settings], _: argparse.Namespace) -> int:
    _write_json(json_schema(settings_type))
    return 0


def _example(settings_type: type[Settings], options: argparse.Namespace) -> int:
    text = example(settings_type)
    if options.json:
        _write_json({"text": text})
    else:
        sys.stdout.write(text)
    return 0


_commands: Mapping[str, Callable[[type[Settings], argparse.Namespace], int]] = {
    "check": _check,
    "print": _print,
    "explain": _explain,
    "docs": _docs,
    "schema": _schema,
    "example": _example,
}


def _settings_type(place: str) -> type[Settings]:
    module_name, colon, class_name = place.partition(":")
    if not (module_name and colon and class_name):
        raise _BadInput(f"--settings {place}: name it as package.module:Class")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        advice = "run this where the service is installed, or in the folder of its packages"
        raise _BadInput(f"--settings {place}: there is no module {error.name}; {advice}") from None
    except Exception as error:  # noqa: BLE001  # whatever a module does when it is imported; its text may hold a secret
        raise _BadInput(f"--settings {place}: importing it raised {type(error).__name__}") from None
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Settings) and found.variable_prefix):
        classes = [
            name
            for name, kind in vars(module).items()
            if isinstance(kind, type) and issubclass(kind, Settings) and kind.variable_prefix
        ]
        known = f"; it has {', '.join(classes)}" if classes else ""
        raise _BadInput(f"--settings {place}: {class_name} is no settings class of {module_name}{known}")
    return found


def _leaf(settings_type: type[Settings], key: str) -> Leaf:
    known: dict[str, Leaf] = {}
    for leaf in leaves(settings_type):
        known |= {leaf.dotted: leaf, leaf.variable(settings_type.variable_prefix): leaf}
    if key not in known:
        raise _BadInput(f"{key}: no such setting{suggestion(key, known)}; `config docs` lists them")
    return known[key]


def _unusable(examined: Examined[Any]) -> int:
    sys.stderr.write(f"{examined.report}\n")
    return exit_code


def _write_json(document: object) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
