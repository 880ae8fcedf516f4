"""What the docstrings of public functions owe their callers: units of times and sizes, and errors raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.generators.library import definitions, public_modules

Function = ast.FunctionDef | ast.AsyncFunctionDef

_measured = re.compile(
    r"(^|_)(timeout|delay|interval|lease|wait|pause|period|duration|deadline|age|ttl|size|length)(_|$)"
)
_unit_in_name = re.compile(r"(^|_)(seconds|milliseconds|bytes|ms|at)(_|$)")
_unit_in_type = re.compile(r"\b(Seconds|Bytes|timedelta|datetime|Deadline|bool|str)\b")
_unit_in_words = re.compile(r"\b(seconds?|milliseconds?|bytes|half a minute|s|ms|characters|digits)\b")
_dunders = ("__init__", "__call__")


def unsaid(package: str, root: Path) -> list[str]:
    """Return a complaint for each thing that a public name of *package*, in *root*, owes and does not say."""
    complaints: dict[str, None] = {}
    for module in public_modules(package, root):
        for name, definition in definitions(module, root).items():
            for function, docstring in _functions(definition.node):
                where = f"{definition.module}.{_title(name, function)}"
                complaints |= dict.fromkeys(f"{where}: {text}" for text in _owed(function, docstring))
    return list(complaints)


def _title(name: str, function: Function) -> str:
    return name if function.name == name else f"{name}.{function.name}"


def _functions(node: ast.stmt | None) -> Iterator[tuple[Function, str]]:
    """Yield the function, or the public methods of the class, each with all that is said about it."""
    if isinstance(node, Function):
        yield node, ast.get_docstring(node) or ""
    elif isinstance(node, ast.ClassDef):
        of_class = ast.get_docstring(node) or ""
        for member in node.body:
            if isinstance(member, Function) and (not member.name.startswith("_") or member.name in _dunders):
                own = ast.get_docstring(member) or ""
                yield member, f"{own}\n{of_class}" if member.name in _dunders or own else ""


def _owed(function: Function, docstring: str) -> Iterator[str]:
    if not docstring.strip():
        if function.name not in _dunders:
            yield "the public method has no docstring; add one"
        return
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    for argument in arguments:
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        if (
            _measured.search(argument.arg)
            and not _unit_in_name.search(argument.arg)
            and not _unit_in_type.search(kind)
            and not _unit_in_words.search(docstring)
        ):
            yield f"the unit of {argument.arg} is not said; say it in the docstring, or in the name"
    for error in sorted(_raised(function)):
        if error not in docstring:
            yield f"{error} is raised and not said; add it to the docstring"


def _raised(function: Function) -> set[str]:
    """Return the names of the errors that the function itself raises by name."""
    return {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and node.exc is not None
        for name in [ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)]
        if name.isidentifier() and name[0].isupper() and name not in {"AssertionError", "NotImplementedError"}
    }
