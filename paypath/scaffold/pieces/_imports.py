"""Imports, added where a formatter would put them and taken out again."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from paypath.scaffold.pieces._edits import DoesNotFit, Edit, edited


def with_import(tree: cst.Module, edit: Edit) -> cst.Module:
    """Return *tree* with ``from edit.module import edit.code``.

    Raises:
        DoesNotFit: nothing of the same distribution is imported, so there is no telling where it belongs.
    """
    body = list(tree.body)
    last, place = None, None
    for number, statement in enumerate(body):
        module, node = _from_import(statement)
        if node is None or not _same_top(module, edit.module):
            continue
        if module == edit.module:
            body[number] = _with_node(statement, _with_name(node, edit.code))
            return tree.with_changes(body=body)
        last = number
        if place is None and module > edit.module:
            place = number
    if last is None:
        raise DoesNotFit(
            f"{edit.file}: nothing of {_top(edit.module)} is imported there; "
            f"add `from {edit.module} import {edit.code}` by hand"
        )
    new: cst.SimpleStatementLine | cst.BaseCompoundStatement
    new = cst.ensure_type(
        cst.parse_statement(f"from {edit.module} import {edit.code}\n"), cst.SimpleStatementLine
    )
    if place is None:
        body.insert(last + 1, new)
    else:
        new = new.with_changes(leading_lines=body[place].leading_lines)
        body[place] = body[place].with_changes(leading_lines=[])
        body.insert(place, new)
    return tree.with_changes(body=body)


def without_import(tree: cst.Module, edit: Edit) -> cst.Module:
    """Return *tree* without that import; a name that something else still uses stays.

    Raises:
        EditedSince: it is not imported.
    """
    body = list(tree.body)
    for number, statement in enumerate(body):
        module, node = _from_import(statement)
        if node is None or module != edit.module:
            continue
        names = _names(node)
        kept = [alias for alias in names if _name(alias) != edit.code]
        if len(kept) == len(names):
            continue
        if _is_used(tree, edit.code):
            return tree
        if kept:
            less = _with_names(node, kept)
            if edit.spread and "#" not in cst.Module([]).code_for_node(node):
                less = _with_names(less.with_changes(lpar=None, rpar=None), kept)
            body[number] = _with_node(statement, less)
            return tree.with_changes(body=body)
        if number + 1 < len(body) and statement.leading_lines:
            following = body[number + 1]
            if _same_top(_from_import(following)[0], edit.module):
                body[number + 1] = following.with_changes(leading_lines=statement.leading_lines)
        del body[number]
        return tree.with_changes(body=body)
    raise edited(edit)


def _from_import(statement: cst.CSTNode) -> tuple[str, cst.ImportFrom | None]:
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        [node] = statement.body
        if isinstance(node, cst.ImportFrom) and node.module is not None and not node.relative:
            return cst.Module([]).code_for_node(node.module), node
    return "", None


def _with_node(statement: cst.CSTNode, node: cst.ImportFrom) -> cst.SimpleStatementLine:
    return cst.ensure_type(statement, cst.SimpleStatementLine).with_changes(body=[node])


def _names(node: cst.ImportFrom) -> Sequence[cst.ImportAlias]:
    return [] if isinstance(node.names, cst.ImportStar) else node.names


def _name(alias: cst.ImportAlias) -> str:
    return cst.Module([]).code_for_node(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip()


def _with_name(node: cst.ImportFrom, name: str) -> cst.ImportFrom:
    names = list(_names(node))
    if any(_name(alias) == name for alias in names):
        return node
    [new] = _names(
        cst.ensure_type(
            cst.ensure_type(cst.parse_statement(f"from x import {name}\n"), cst.SimpleStatementLine).body[0],
            cst.ImportFrom,
        )
    )
    place = next(
        (number for number, alias in enumerate(names) if _rank(_name(alias)) > _rank(name)), len(names)
    )
    return _with_names(node, [*names[:place], new, *names[place:]])


def _with_names(node: cst.ImportFrom, names: list[cst.ImportAlias]) -> cst.ImportFrom:
    """Return *node* with *names*, laid out as it was: on one line, or one a line."""
    if isinstance(node.lpar, cst.LeftParen):
        first, last = cst.Comma(whitespace_after=node.lpar.whitespace_after), _names(node)[-1].comma
        own = {id(alias): alias.comma for alias in _names(node)[:-1]}
    else:
        first, last = cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")), cst.MaybeSentinel.DEFAULT
        own = {}
    laid_out = [alias.with_changes(comma=own.get(id(alias), first)) for alias in names[:-1]]
    return node.with_changes(names=[*laid_out, names[-1].with_changes(comma=last)])


def _rank(name: str) -> tuple[int, str, str]:
    """Return what ruff and isort order imported names by: constants, classes, then the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name.lower(), name


def _is_used(tree: cst.Module, name: str) -> bool:
    used = 0

    class Count(cst.CSTVisitor):
        def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: ARG002, N802  # libcst's
            return False

        def visit_Attribute_attr(self, node: cst.Attribute) -> None:  # noqa: N802  # libcst's
            nonlocal used
            used -= node.attr.value == name

        def visit_Name(self, node: cst.Name) -> None:  # noqa: N802  # libcst's
            nonlocal used
            used += node.value == name

    tree.visit(Count())
    return used > 0


def _top(module: str) -> str:
    return module.partition(".")[0]


def _same_top(module: str, other: str) -> bool:
    return _top(module) == _top(other)
