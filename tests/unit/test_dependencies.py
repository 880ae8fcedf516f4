"""What a service installs is what the library uses: each package more is one more to patch."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

_root = Path(__file__).parents[2]
_project = tomllib.loads((_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Uvicorn takes the first two where they are installed, and pytest the third.
_taken_unasked = {"httptools", "uvloop", "pytest-asyncio"}


def _named(folder: Path) -> set[str]:
    """Return every module that the code below *folder* imports or names in a text."""
    named: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                named.add(node.module)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.add(node.value)
    return named


def _unused(distributions: set[str], folder: Path) -> list[str]:
    modules: dict[str, set[str]] = {}
    for module, owners in packages_distributions().items():
        for owner in owners:
            modules.setdefault(owner.lower().replace("_", "-"), set()).add(module)
    named = _named(folder)
    tops = {name.partition(".")[0] for name in named}
    return sorted(
        name
        for name in distributions
        # Several distributions share the module `opentelemetry`; there the part after it tells them apart.
        if not (
            any(each.startswith(name.replace("-", ".").removesuffix(".api")) for each in named)
            if name.startswith("opentelemetry-")
            else modules.get(name, {name}) & tops
        )
    )


@pytest.mark.parametrize(
    ("extra", "folder"),
    [("service", "platform_lib"), ("jwt", "platform_lib"), ("testing", "platform_lib"), ("tool", "paypath")],
)
def test_every_package_of_an_extra_is_used_by_the_code_that_it_is_for(extra: str, folder: str) -> None:
    wanted = {re.split(r"[\[>=~<!; ]", line)[0] for line in _project["optional-dependencies"][extra]}

    assert _unused(wanted - {"paypath"} - _taken_unasked, _root / folder) == []


def test_a_package_that_nothing_imports_is_found() -> None:
    planted = {"opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk", "sphinx", "uvicorn"}

    assert _unused(planted, _root / "platform_lib") == ["opentelemetry-exporter-otlp-proto-http", "sphinx"]
