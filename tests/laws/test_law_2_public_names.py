"""Law 2: a generated service imports only public names of `platform_lib`."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.source import Breach, Module, modules, plant, report, repository


def breaches_of_public_names(root: Path) -> list[Breach]:
    found: list[Breach] = []
    for module in modules(root):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.startswith("platform_lib"):
                        found.extend(_private_part(module, node, alias.name))
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "platform_lib":
                private = list(_private_part(module, node, node.module or ""))
                found.extend(private or _unlisted_names(module, node))
    return found


def _private_part(module: Module, node: ast.AST, name: str) -> Iterator[Breach]:
    if any(part.startswith("_") for part in name.split(".")):
        yield module.breach(
            node, f"{name} is private; import the public name that re-exports it, or ask for one"
        )


def _unlisted_names(module: Module, node: ast.ImportFrom) -> Iterator[Breach]:
    public = getattr(importlib.import_module(node.module or ""), "__all__", None)
    for alias in node.names:
        if public is None:
            yield module.breach(
                node, f"{node.module} lists no public names (__all__); import from its package"
            )
            return
        if alias.name not in public and not _is_module(f"{node.module}.{alias.name}"):
            yield module.breach(node, f"{alias.name} is not in {node.module}.__all__; use a public name")


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what stands before the last dot is no package
        return False


def test_generated_services_import_only_public_names() -> None:
    breaches = breaches_of_public_names(repository / "examples")
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from platform_lib.clients._transaction import anything\n", "is private"),
        ("import platform_lib._version\n", "is private"),
        ("from platform_lib.clients import asyncpg\n", "not in platform_lib.clients.__all__"),
        ("from platform_lib.money import dataclass\n", "platform_lib.money"),
    ],
)
def test_a_private_name_in_a_service_is_found(tmp_path: Path, text: str, words: str) -> None:
    breaches = breaches_of_public_names(plant(tmp_path, "payments/wiring.py", text))

    assert len(breaches) == 1
    assert words in breaches[0].message
