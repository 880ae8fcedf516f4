"""`library.md`: the public names of the library, a table a package."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docs.generators.markdown import code, document, first_line, table
from docs.generators.sources import module_names, public_place, repository
from platform_lib.config import Section

_intro = """\
# The library

The public names of `platform_lib`, a table a package.
A service imports these names and no others; [law 2](laws.md) sees to it.
Their docstrings say the rest: shapes, units, guarantees, errors."""

# Its names are fixtures, which have a page of their own.
_elsewhere = {"platform_lib.testing.plugin"}
_context_managers = {"contextmanager", "asynccontextmanager"}


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a public name is defined, and what is said there.

    Attributes:
        module: the module whose text defines it.
        node: the statement that does; None if the name comes from outside of the package.
        docstring: under a class or function, or under an assignment.
    """

    module: str
    node: ast.stmt | None
    docstring: str | None


def page() -> str:
    """Return the page."""
    return document(_intro, *tables("platform_lib"))


def tables(package: str) -> list[str]:
    """Return the blocks that tell the public names of *package*: heading, purpose, table of each module."""
    blocks = []
    for module in public_modules(package, repository):
        rows = [
            (code(name), _kind(module, name, definition), first_line(definition.docstring))
            for name, definition in definitions(module, repository).items()
        ]
        purpose = first_line(inspect.getdoc(importlib.import_module(module)))
        blocks += [f"## {module}", purpose, table(("name", "kind", "what it is"), rows)]
    return blocks


def gaps() -> list[str]:
    """Return the public names of the library that have no docstring, or whose docstring owes something."""
    return gaps_of("platform_lib")


def gaps_of(package: str) -> list[str]:
    """Return the same of *package*."""
    from docs.generators.contracts import unsaid  # noqa: PLC0415  # it reads the definitions that this module finds

    return [*undocumented(package, repository), *unsaid(package, repository)]


def undocumented(package: str, root: Path) -> list[str]:
    """Return a complaint for each public name of *package*, which lies in *root*, without a docstring."""
    return [
        f"{module}.{name}: the public name has no docstring; add one in {definition.module}"
        for module in public_modules(package, root)
        for name, definition in definitions(module, root).items()
        if not first_line(definition.docstring)
    ]


def public_modules(package: str, root: Path) -> Iterator[str]:
    """Yield the modules of *package* that list their public names."""
    for name in module_names(package, root):
        if public_place(name) == name and name not in _elsewhere and _listed(_tree(name, root)):
            yield name


def definitions(module: str, root: Path) -> Mapping[str, Definition]:
    """Return the public names of *module* in the order of its ``__all__``, each with its definition."""
    return {name: _definition(module, name, root) for name in _listed(_tree(module, root))}


def _tree(module: str, root: Path) -> ast.Module:
    path = root.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _listed(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if "__all__" in _assigned(node) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def _definition(module: str, name: str, root: Path) -> Definition:
    body = _tree(module, root).body
    for place, node in enumerate(body):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                return Definition(module, node, ast.get_docstring(node))
            case ast.Assign() | ast.AnnAssign() if name in _assigned(node):
                following = body[place + 1] if place + 1 < len(body) else None
                return Definition(module, node, _text(following))
            case ast.ImportFrom(module=str(source), names=names):
                for alias in names:
                    if name != (alias.asname or alias.name):
                        continue
                    if source.partition(".")[0] != module.partition(".")[0]:
                        return Definition(module, None, None)
                    return _definition(source, alias.name, root)
    return Definition(module, None, None)


def _assigned(node: ast.stmt) -> list[str]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(node: ast.stmt | None) -> str | None:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text)
    return None


def _kind(module: str, name: str, definition: Definition) -> str:
    node = definition.node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
        lead = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
        return lead + ("context manager" if decorators & _context_managers else "function")
    value = getattr(importlib.import_module(module), name)
    if not isinstance(node, ast.ClassDef):
        return "constant" if isinstance(value, str | Mapping) else "type"
    if issubclass(value, BaseException):
        return "exception"
    if issubclass(value, Section):
        return "settings"
    return "protocol" if getattr(value, "_is_protocol", False) else "class"
