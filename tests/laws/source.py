"""What every law check reads: source files, their syntax trees, and the opt-out comments in them.

A law is a function from a folder to its breaches, so the same function runs on this repository (no breach
wanted) and on a folder with a planted breach (exactly that breach wanted). To opt one line out, end it with
``# law-N: <reason>``; a reason is required.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

repository = Path(__file__).parents[2]

_skipped = {
    ".venv",
    ".git",
    ".paypath",
    "node_modules",
    "__pycache__",
    "_build",
    ".mypy_cache",
    ".ruff_cache",
}


@dataclass(frozen=True)
class Breach:
    """One place that breaks a law, and what to do about it."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Module:
    """One Python file with its syntax tree."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    def breach(self, node: ast.AST, message: str) -> Breach:
        """Return a breach at *node*."""
        return Breach(str(self.path), getattr(node, "lineno", 1), message)

    def opted_out(self, node: ast.AST, law: int) -> bool:
        """Tell whether the line of *node* carries an opt-out of *law* with a reason."""
        line = self.text.splitlines()[getattr(node, "lineno", 1) - 1]
        return re.search(rf"# law-{law}: \S", line) is not None


def files(root: Path, pattern: str) -> Iterator[Path]:
    """Yield the files under *root* that match *pattern*, leaving out what is not ours."""
    for path in sorted(root.rglob(pattern)):
        if path.is_file() and not _skipped.intersection(path.relative_to(root).parts):
            yield path


def modules(root: Path) -> Iterator[Module]:
    """Yield every Python module under *root*, but for template sources with Jinja in their path."""
    for path in files(root, "*.py"):
        if "{{" in str(path.relative_to(root)):
            continue
        text = path.read_text(encoding="utf-8")
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        yield Module(path.relative_to(root), ".".join(parts), text, ast.parse(text, str(path)))


def imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every import as (node, dotted name); ``from a import b`` gives both ``a`` and ``a.b``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node, node.module
            for alias in node.names:
                yield node, f"{node.module}.{alias.name}"


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for a chain of names and attributes, or an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else f".{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return ""


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Yield every call of *module* with its dotted name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def report(breaches: list[Breach]) -> str:
    """Return the breaches one a line, for an assertion's message."""
    return "\n" + "\n".join(map(str, breaches))


def plant(root: Path, path: str, text: str) -> Path:
    """Write *text* to *path* under *root*, as someone would who did not know the law."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return root
