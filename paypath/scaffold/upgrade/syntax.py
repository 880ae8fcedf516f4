"""Changes to a Python syntax tree, each for one declared rename."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, QualifiedNameProvider, QualifiedNameSource


def with_imports(module: cst.Module, old: str, new: str) -> cst.Module:
    """Return *module* with the import *old*, a dotted name, as *new*, and what uses it."""
    return _changed(module, _Imports(old, new))


def with_arguments(module: cst.Module, called: str, names: Mapping[str, str]) -> cst.Module:
    """Return *module* with keyword arguments in calls of *called*, a dotted name, under their new names."""
    return _changed(module, _Arguments(called, names))


def with_attributes(module: cst.Module, old: str, new: str) -> cst.Module:
    """Return *module* with the setting *old*, as in `settings.http.timeout`, under its new name."""
    if "." not in old or old.count(".") != new.count("."):
        return module
    return _changed(module, _Attributes(old.split("."), new.split(".")))


def _changed(module: cst.Module, change: cst.CSTTransformer) -> cst.Module:
    wrapper = MetadataWrapper(module)
    return wrapper.visit(change)


def _dotted(node: Any) -> str:
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return ""


def _expression(dotted: str) -> cst.Name | cst.Attribute:
    first, *others = dotted.split(".")
    node: cst.Name | cst.Attribute = cst.Name(first)
    for name in others:
        node = cst.Attribute(value=node, attr=cst.Name(name))
    return node


class _Resolving(cst.CSTTransformer):
    """A change that knows which import a name leads to."""

    METADATA_DEPENDENCIES = (QualifiedNameProvider,)

    def leads_to(self, node: cst.CSTNode, dotted: str) -> bool:
        return any(
            found.name == dotted and found.source is QualifiedNameSource.IMPORT
            for found in self.get_metadata(QualifiedNameProvider, node, set())
        )


class _Arguments(_Resolving):
    def __init__(self, called: str, names: Mapping[str, str]) -> None:
        super().__init__()
        self._called = called
        self._names = names

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802  # libcst's
        if not self.leads_to(original_node.func, self._called):
            return updated_node
        return updated_node.with_changes(args=[self._renamed(argument) for argument in updated_node.args])

    def _renamed(self, argument: cst.Arg) -> cst.Arg:
        if argument.keyword is None or argument.keyword.value not in self._names:
            return argument
        return argument.with_changes(keyword=cst.Name(self._names[argument.keyword.value]))


class _Attributes(cst.CSTTransformer):
    def __init__(self, old: list[str], new: list[str]) -> None:
        super().__init__()
        self._old = old
        self._new = new

    def leave_Attribute(  # noqa: N802  # libcst's
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.Attribute:
        chain = _dotted(original_node).split(".")
        # Something must hold the settings: `settings.http.timeout`, not a module `http` with a `timeout`.
        if chain[-len(self._old) :] != self._old or len(chain) == len(self._old):
            return updated_node
        node: cst.BaseExpression = updated_node
        for _ in self._old:
            node = cst.ensure_type(node, cst.Attribute).value
        for name in self._new:
            node = cst.Attribute(value=node, attr=cst.Name(name))
        return cst.ensure_type(node, cst.Attribute)


class _Imports(_Resolving):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self._old = old
        self._new = new
        self._module, _, self._name = old.rpartition(".")
        self._new_module, _, self._new_name = new.rpartition(".")
        self._spelled_out = False
        self._is_module = False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: ARG002, N802  # libcst's
        return False

    def visit_Import(self, node: cst.Import) -> bool:  # noqa: ARG002, N802  # libcst's
        return False

    def leave_Name(  # noqa: N802  # libcst's
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.Name:
        """Rename the uses of `from module import name`; an alias stays what it is."""
        if original_node.value == self._name and self.leads_to(original_node, self._old):
            return updated_node.with_changes(value=self._new_name)
        return updated_node

    def leave_Attribute(  # noqa: N802  # libcst's
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        """Spell the new place out where the old one was reached through its module."""
        if self.leads_to(original_node, self._old):
            self._spelled_out = True
            return _expression(self._new)
        return updated_node

    def leave_SimpleStatementLine(  # noqa: N802  # libcst's
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        if len(original_node.body) != 1 or not isinstance(statement := updated_node.body[0], cst.ImportFrom):
            return self._whole_module(updated_node)
        module = _dotted(statement.module) if not statement.relative else ""
        if module == self._old:  # a module that moved, and everything that comes from it
            moved = statement.with_changes(module=_expression(self._new))
            return updated_node.with_changes(body=[moved])
        if module != self._module or isinstance(statement.names, cst.ImportStar):
            return updated_node
        return self._without_name(updated_node, statement, statement.names)

    def _without_name(
        self,
        line: cst.SimpleStatementLine,
        statement: cst.ImportFrom,
        names: Sequence[cst.ImportAlias],
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        """Import the name from its new place, and what stands beside it from where it was."""
        taken = [alias for alias in names if alias.name.value == self._name]
        if not taken:
            return line
        left = [alias for alias in names if alias.name.value != self._name]
        fresh = cst.ImportFrom(
            module=_expression(self._new_module),
            names=[cst.ImportAlias(name=cst.Name(self._new_name), asname=alias.asname) for alias in taken],
        )
        if not left:
            return line.with_changes(body=[fresh])
        if statement.lpar is None:
            left[-1] = left[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        kept = line.with_changes(body=[statement.with_changes(names=left)])
        return cst.FlattenSentinel([kept, cst.SimpleStatementLine(body=[fresh])])

    def leave_Module(  # noqa: N802  # libcst's
        self,
        original_node: cst.Module,  # noqa: ARG002  # libcst's
        updated_node: cst.Module,
    ) -> cst.Module:
        if not self._spelled_out or self._is_module:
            return updated_node
        wanted = cst.SimpleStatementLine(
            body=[cst.Import(names=[cst.ImportAlias(name=_expression(self._new_module))])]
        )
        if any(wanted.deep_equals(line) for line in updated_node.body):
            return updated_node
        body = list(updated_node.body)
        place = next(
            (
                number
                for number, line in enumerate(body)
                if isinstance(line, cst.SimpleStatementLine)
                and isinstance(line.body[0], cst.Import | cst.ImportFrom)
                and not _is_future(line.body[0])
            ),
            len(body),
        )
        return updated_node.with_changes(body=[*body[:place], wanted, *body[place:]])

    def _whole_module(self, line: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
        """Rename `import old.module`, where *old* is a module."""
        if len(line.body) != 1 or not isinstance(statement := line.body[0], cst.Import):
            return line
        self._is_module |= any(_dotted(alias.name) == self._old for alias in statement.names)
        names = [
            alias.with_changes(name=_expression(self._new)) if _dotted(alias.name) == self._old else alias
            for alias in statement.names
        ]
        return line.with_changes(body=[statement.with_changes(names=names)])


def _is_future(statement: cst.Import | cst.ImportFrom) -> bool:
    return isinstance(statement, cst.ImportFrom) and _dotted(statement.module) == "__future__"
