"""Where each value of the settings came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from platform_lib.config._sources import Sources

Source = Literal["default", "file", ".env", "secrets", "environment", "command line", "override"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The place a value came from.

    Attributes:
        source: the layer.
        location: the place in it: a variable, ``config.toml:3``, the path of a secret's file.
        overridden: the places that set the same field and lost, strongest first; defaults are not listed.
    """

    source: Source
    location: str
    overridden: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Trail:
    """Where one settings object came from; equal to any other, so that equal settings are equal."""

    origins: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    sources: Sources | None = field(default=None, compare=False, repr=False)
