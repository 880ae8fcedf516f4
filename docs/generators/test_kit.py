"""`test-kit.md`: what the pytest plugin gives."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from docs.generators.markdown import code, document, first_line, prose, table
from docs.generators.sources import repository
from platform_lib.testing import plugin

_intro = """\
# The test kit

pytest finds the plugin by its entry point wherever `paypath[testing]` is installed: nothing to import.
The plain names of `platform_lib.testing` are [in the map of the library](library.md).

## Fixtures

A service overrides `settings`, `app` and `migrate` in its `tests/conftest.py`; the rest follows from them."""

_options = """\
## Options

The header of a run says which engine was asked for, and its summary which one each resource got and why."""

_environment = "## Environment variables"

_marks = "## Markers"

_variables: Mapping[str, str] = {
    "PAYPATH_ENGINE": "The same as `--engine`, which wins.",
    "PAYPATH_REQUIRE_CONTAINERS": "Anything but `0` makes a missing container engine a failure of the tests "
    "that need one, instead of a reason to skip them.",
    "PAYPATH_POSTGRES_URL": "A PostgreSQL server that somebody else runs; with `auto` it is taken before any "
    "engine is started.",
    "PAYPATH_NATS_URL": "A NATS server with JetStream that somebody else runs; likewise.",
}

_yielding = re.compile(r"(?:Async)?Iterator\[(.+)\]")


def page() -> str:
    """Return the page."""
    recorded = _Recorder()
    plugin.pytest_addoption(cast("pytest.Parser", recorded))
    plugin.pytest_configure(cast("pytest.Config", recorded))
    return document(
        _intro,
        table(("fixture", "scope", "gives", "what it is"), map(_row, fixtures().items())),
        _options,
        table(("option", "values", "meaning"), recorded.options),
        _environment,
        table(("variable", "meaning"), ((code(name), text) for name, text in _variables.items())),
        _marks,
        table(("marker", "meaning"), recorded.markers),
    )


def gaps() -> list[str]:
    """Return the fixtures without a docstring, and the variables that page or code do not know."""
    complaints = [
        f"{name}: the fixture has no docstring; add one"
        for name, fixture in fixtures().items()
        if not fixture.__doc__
    ]
    patterns = list(variable_patterns(repository / "platform_lib/testing"))
    complaints += [
        f"{pattern}: the test kit reads this variable; describe it in docs/generators/test_kit.py"
        for pattern in patterns
        if not any(re.fullmatch(pattern, name) for name in _variables)
    ]
    complaints += [
        f"{name}: the test kit reads no such variable; drop it from docs/generators/test_kit.py"
        for name in _variables
        if not any(re.fullmatch(pattern, name) for pattern in patterns)
    ]
    return complaints


def fixtures() -> dict[str, Any]:
    """Return the public fixtures of the plugin by their names, in the order of their definition."""
    found = {name: getattr(plugin, name) for name in plugin.__all__ if not name.startswith("_")}
    return dict(sorted(found.items(), key=lambda item: _function(item[1]).__code__.co_firstlineno))


def variable_patterns(folder: Path) -> Iterator[str]:
    """Yield a pattern for each ``PAYPATH_…`` variable that the code in *folder* names or computes."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Constant(value=str(text)) if re.fullmatch(r"PAYPATH_[A-Z_]*[A-Z]", text):
                    yield text
                case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_, ast.Constant(value=str(end))]):
                    if re.fullmatch(r"PAYPATH_[A-Z_]*", start) and re.fullmatch(r"[A-Z_]+", end):
                        yield f"{start}[A-Z]+{end}"


def _row(named: tuple[str, Any]) -> tuple[str, str, str, str]:
    name, fixture = named
    annotation = str(inspect.signature(_function(fixture)).return_annotation)
    yielded = _yielding.fullmatch(annotation)
    return (
        code(name),
        str(fixture._fixture_function_marker.scope),  # noqa: SLF001  # pytest has no public way to ask
        code(yielded[1] if yielded else annotation),
        first_line(fixture.__doc__),
    )


def _function(fixture: Any) -> Callable[..., Any]:
    function: Callable[..., Any] = inspect.unwrap(fixture)
    return function


class _Recorder:
    """Stands for pytest's parser and configuration, and keeps what the plugin tells them."""

    def __init__(self) -> None:
        self.options: list[tuple[str, str, str]] = []
        self.markers: list[tuple[str, str]] = []

    def getgroup(self, *_: str) -> _Recorder:
        return self

    def addoption(self, name: str, *, choices: tuple[str, ...], help: str, **_: Any) -> None:  # noqa: A002  # pytest's
        self.options.append((code(name), ", ".join(map(code, choices)), _sentence(help)))

    def addinivalue_line(self, _: str, line: str) -> None:
        name, _, meaning = line.partition(": ")
        self.markers.append((code(name), _sentence(meaning)))

    def getoption(self, _: str) -> str:
        return "auto"


def _sentence(text: str) -> str:
    text = prose(text)
    return f"{text[0].upper()}{text[1:]}."
