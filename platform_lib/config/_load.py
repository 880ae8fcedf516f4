"""Load settings: read the layers, build the settings, and say everything that is wrong at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from platform_lib.config._build import build
from platform_lib.config._environment import read_dotenv, read_environment, read_secrets
from platform_lib.config._fields import config_file, leaves, secrets_directory
from platform_lib.config._layer import Layer, Names
from platform_lib.config._mapping import read_mapping, read_toml
from platform_lib.config._origins import Origin
from platform_lib.config._report import render
from platform_lib.config._settings import Settings
from platform_lib.config._stack import Stack
from platform_lib.errors import ConfigError

S = TypeVar("S", bound=Settings)

exit_code = os.EX_CONFIG  # 78, sysexits.h: something in the configuration is wrong


def load(
    settings_type: type[S],
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> S:
    """Return the settings of this process.

    Layers, the later over the earlier: defaults; the TOML file that ``<PREFIX>_CONFIG_FILE`` names, or
    ``config.toml`` in *directory* (the working directory) if there is one; ``.env`` there, in development
    only; the directory that ``<PREFIX>_SECRETS_DIR`` names, one file for a variable; *environ* (the process's
    own); *overrides*, nested or with dotted keys.
    Errors: `ConfigError` with everything that is wrong, secrets masked.
    """
    if not settings_type.variable_prefix:
        raise TypeError(
            f"{settings_type.__name__}: has no prefix for its variables; "
            f'write class {settings_type.__name__}(Settings, prefix="NAME")'
        )
    settings, report = _attempt(settings_type, environ, directory, overrides)
    # A traceback with local variables must find nothing here: what was read stays in frames that have ended.
    del environ, overrides
    if settings is None:
        raise ConfigError(report)
    return settings


def load_or_exit(
    settings_type: type[S],
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> S:
    """Return the settings as `load` does; on mistakes print the report to stderr and exit 78."""
    try:
        return load(settings_type, environ=environ, directory=directory, overrides=overrides)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201  # logging is configured from the settings that are missing
    raise SystemExit(exit_code)


def origins(settings: Settings) -> Mapping[str, Origin]:
    """Return where each value came from, by dotted field; empty if *settings* were not made by `load`."""
    return settings._trail.origins  # noqa: SLF001  # the class keeps it for this function


def _attempt(
    settings_type: type[S],
    environ: Mapping[str, str] | None,
    directory: Path | None,
    overrides: Mapping[str, Any] | None,
) -> tuple[S | None, str]:
    environ = os.environ if environ is None else environ
    directory = Path.cwd() if directory is None else directory
    names = Names(settings_type.variable_prefix, leaves(settings_type))
    stack = Stack()
    stack.add(_file_layer(names, environ, directory))
    secrets = environ.get(f"{names.prefix}_{secrets_directory}", "").strip()
    above = [
        read_secrets(names, directory / secrets) if secrets else Layer(),
        read_environment(names, environ),
        read_mapping(names, overrides or {}, source="override", locate=".".join),
    ]
    dotenv = directory / ".env"
    if _environment(settings_type, stack, above) == "development" and dotenv.is_file():
        stack.add(read_dotenv(names, dotenv))
    for layer in above:
        stack.add(layer)
    settings, mistakes = build(settings_type, stack)
    if settings is None:
        return None, render(settings_type.__name__, mistakes, stack.secret_texts())
    return settings, ""


def _file_layer(names: Names, environ: Mapping[str, str], directory: Path) -> Layer:
    variable = f"{names.prefix}_{config_file}"
    named = environ.get(variable, "").strip()
    if named:
        return read_toml(names, directory / named, named_by=variable)
    default = directory / "config.toml"
    return read_toml(names, default, named_by=variable) if default.is_file() else Layer()


def _environment(settings_type: type[Settings], below: Stack, above: list[Layer]) -> object:
    """Return the environment before ``.env`` is read, which depends on it."""
    found = below.strongest(("environment",))
    for layer in above:
        found = next((item for item in layer.found if item.leaf.path == ("environment",)), found)
    if found is not None:
        return found.value.strip() if isinstance(found.value, str) else found.value
    return settings_type.model_fields["environment"].default
