"""What a source holds: values for the leaves of the settings, and mistakes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_lib.config._fields import Leaf, config_file, secrets_directory
from platform_lib.config._fields import Path as FieldPath
from platform_lib.config._origins import Origin
from platform_lib.config._report import Mistake

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """A value that a source holds for one leaf; a *textual* one has yet to become what the field expects."""

    leaf: Leaf
    value: Any = field(repr=False)
    origin: Origin
    textual: bool


@dataclass(slots=True)
class Layer:
    """What one source holds, and what is wrong with it."""

    found: list[Found] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Names:
    """The leaves by the names that sources use for them."""

    prefix: str
    leaves: tuple[Leaf, ...]

    @property
    def by_variable(self) -> dict[str, Leaf]:
        """Return the leaves by their environment variable."""
        return {leaf.variable(self.prefix): leaf for leaf in self.leaves}

    @property
    def by_path(self) -> dict[FieldPath, Leaf]:
        """Return the leaves by their path."""
        return {leaf.path: leaf for leaf in self.leaves}

    @property
    def own(self) -> frozenset[str]:
        """Return the variables that speak to the loader itself."""
        return frozenset({f"{self.prefix}_{config_file}", f"{self.prefix}_{secrets_directory}"})


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the words that propose the nearest of the *known* names, nothing if none is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def read_text(file: Path, *, largest: int = 1024 * 1024) -> tuple[str, Mistake | None]:
    """Return the text of *file*, or why there is none."""
    try:
        with file.open("rb") as stream:
            content = stream.read(largest + 1)
    except OSError as error:
        return "", Mistake(
            file.name, f"cannot be read ({error.strerror})", f"make {file} readable or remove it"
        )
    if len(content) > largest:
        return "", Mistake(file.name, f"holds more than {largest} bytes", f"see what {file} really is")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return "", Mistake(file.name, "is not UTF-8", f"store {file} as text")
