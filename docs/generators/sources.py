"""Where the code is that the pages are made from."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

repository = Path(__file__).parents[2]
sources = {
    package: repository / "examples" / folder / "src"
    for package, folder in (
        ("payments", "payments"),
        ("card_connector", "card-connector"),
        ("settlements", "settlements"),
    )
}
"""The services as the templates make them, by package; none is installed here."""

# Alembic runs this one; it cannot be imported.
_not_importable = {"platform_lib.migrations.env"}


def service_module(name: str) -> ModuleType:
    """Return a module of one of the services, such as ``payments.settings``."""
    place = str(sources[name.partition(".")[0]])
    if place not in sys.path:
        sys.path.append(place)
    return importlib.import_module(name)


def module_names(package: str, root: Path = repository) -> Iterator[str]:
    """Yield the dotted names of *package*, which lies in *root*, and of all its modules, sorted."""
    for path in sorted(root.joinpath(*package.split(".")).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        versions = "versions" in parts  # revisions; their file names are no module names
        if parts[-1] != "__main__" and name not in _not_importable and not versions:
            yield name


def public_place(module: str) -> str:
    """Return where the names of *module* are public: the module without its private parts."""
    parts = module.split(".")
    private = next((place for place, part in enumerate(parts) if part.startswith("_")), len(parts))
    return ".".join(parts[:private])
