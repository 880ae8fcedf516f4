"""Where the settings of a process are read from, and what the sources hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform_lib.config._arguments import read_arguments
from platform_lib.config._environment import read_dotenv, read_environment, read_secrets
from platform_lib.config._fields import config_file, leaves, secrets_directory
from platform_lib.config._layer import Layer, Names
from platform_lib.config._mapping import read_mapping, read_toml
from platform_lib.config._settings import Settings
from platform_lib.config._stack import Stack

_default_file, _dotenv = "config.toml", ".env"


@dataclass(frozen=True, slots=True)
class Sources:
    """What `load` was given; the settings keep it, so that they can be read again."""

    environ: Mapping[str, str] = field(repr=False)
    directory: Path
    overrides: Mapping[str, Any] = field(repr=False)
    arguments: tuple[str, ...] = field(repr=False)

    def read(self, settings_type: type[Settings]) -> Stack:
        """Read every layer, the weakest first."""
        names = Names(settings_type.variable_prefix, leaves(settings_type))
        stack = Stack()
        stack.add(self._file_layer(names))
        secrets = self._secrets(names.prefix)
        above = [
            read_secrets(names, secrets) if secrets else Layer(),
            read_environment(names, self.environ),
            read_arguments(names, self.arguments),
            read_mapping(names, self.overrides, source="override", locate=".".join),
        ]
        dotenv = self.directory / _dotenv
        if _environment(settings_type, stack, above) == "development" and dotenv.is_file():
            stack.add(read_dotenv(names, dotenv))
        for layer in above:
            stack.add(layer)
        return stack

    def files(self, settings_type: type[Settings]) -> Iterator[Path]:
        """Yield the files and folders that may hold settings, whether they exist or not."""
        prefix = settings_type.variable_prefix
        yield self._named(prefix) or self.directory / _default_file
        yield self.directory / _dotenv
        secrets = self._secrets(prefix)
        if secrets:
            yield secrets

    def _file_layer(self, names: Names) -> Layer:
        variable = f"{names.prefix}_{config_file}"
        named = self._named(names.prefix)
        if named:
            return read_toml(names, named, named_by=variable)
        default = self.directory / _default_file
        return read_toml(names, default, named_by=variable) if default.is_file() else Layer()

    def _named(self, prefix: str) -> Path | None:
        named = self.environ.get(f"{prefix}_{config_file}", "").strip()
        return self.directory / named if named else None

    def _secrets(self, prefix: str) -> Path | None:
        named = self.environ.get(f"{prefix}_{secrets_directory}", "").strip()
        return self.directory / named if named else None


def _environment(settings_type: type[Settings], below: Stack, above: list[Layer]) -> object:
    """Return the environment before ``.env`` is read, which depends on it."""
    found = below.strongest(("environment",))
    for layer in above:
        found = next((item for item in layer.found if item.leaf.path == ("environment",)), found)
    if found is not None:
        return found.value.strip() if isinstance(found.value, str) else found.value
    return settings_type.model_fields["environment"].default
