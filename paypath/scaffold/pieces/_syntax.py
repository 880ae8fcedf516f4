"""Edits of Python on its syntax tree, which keeps every comment and blank line that is not ours.

libcst, as a tree that forgets comments and layout (`ast`) cannot be written back, and patterns over text
would take a name in a comment for code.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

import libcst as cst

from paypath.scaffold.pieces._edits import DoesNotFit, Edit, edited
from paypath.scaffold.pieces._imports import with_import, without_import

Statement: TypeAlias = cst.SimpleStatementLine | cst.BaseCompoundStatement
Scope: TypeAlias = cst.Module | cst.FunctionDef | cst.ClassDef
Body: TypeAlias = Sequence[Statement]


def make(edit: Edit, text: str) -> str:
    """See `paypath.scaffold.pieces._edits.make`."""
    tree = parsed(edit.file, text)
    match edit.op:
        case "import":
            return with_import(tree, edit).code
        case "statement":
            return _within(tree, edit, lambda body: _inserted(edit, body)).code
        case "item":
            return _with_call(tree, edit, lambda call: _with_item(edit, call)).code
        case "argument":
            return _with_call(tree, edit, lambda call: _with_argument(edit, call)).code
        case _:
            return _with_call(tree, edit, lambda call: _wrapped(edit, call)).code


def unmake(edit: Edit, text: str) -> str:
    """See `paypath.scaffold.pieces._edits.unmake`."""
    after = _unmade(edit, parsed(edit.file, text)).code
    ours = _comments(edit.code) if edit.op == "statement" else Counter[str]()
    if _comments(text) - _comments(after) - ours:
        # A comment of the team's clings to what is taken out.
        raise edited(edit)
    return after


def _unmade(edit: Edit, tree: cst.Module) -> cst.Module:
    try:
        match edit.op:
            case "import":
                return without_import(tree, edit)
            case "statement":
                return _within(tree, edit, lambda body: _removed(edit, body))
            case "item":
                return _with_call(tree, edit, lambda call: _without_item(edit, call))
            case "argument":
                return _with_call(tree, edit, lambda call: _without_argument(edit, call))
            case _:
                return _with_call(tree, edit, lambda call: _unwrapped(edit, call))
    except DoesNotFit as error:
        raise edited(edit) from error


def parsed(file: str, text: str) -> cst.Module:
    """Return the syntax tree of *text*.

    Raises:
        DoesNotFit: it is no Python.
    """
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise DoesNotFit(f"{file}:{error.raw_line}: {error.message}; mend that first") from error


def code_of(node: cst.CSTNode) -> str:
    """Return *node* as code, without the blank lines before it."""
    if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        lines = [line for line in node.leading_lines if line.comment]
        node = node.with_changes(leading_lines=lines)
    return cst.Module([]).code_for_node(node).strip()


def same(one: str, other: str) -> bool:
    """Tell whether two pieces of code are the same but for their layout; a comment counts."""
    return _meaning(one) == _meaning(other)


@lru_cache(maxsize=4096)
def _meaning(code: str) -> tuple[str, Counter[str]]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        # An expression that was spread over lines is one in parentheses only.
        tree = ast.parse(f"({code}\n)")
    return ast.dump(tree), _comments(code)


def _comments(code: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(code + "\n").readline)
    try:
        return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)
    except tokenize.TokenError:
        return Counter()


def _within(tree: cst.Module, edit: Edit, change: Callable[[Body], Body]) -> cst.Module:
    changed = _in_scope(tree, edit, edit.scope, change)
    return cst.ensure_type(changed, cst.Module)


def _in_scope(node: Scope, edit: Edit, way: Sequence[str], change: Callable[[Body], Body]) -> Scope:
    body: Body = _body(node)
    if not way:
        return _with_body(node, change(body))
    for number, child in enumerate(body):
        if isinstance(child, cst.FunctionDef | cst.ClassDef) and way[0] in _names(child):
            inner = _in_scope(child, edit, way[1:], change)
            return _with_body(
                node, [*body[:number], cst.ensure_type(inner, type(child)), *body[number + 1 :]]
            )
    raise DoesNotFit(f"{edit.file}: there is no `{way[0]}`, where `{_first(edit)}` belongs; add it by hand")


def _names(child: cst.FunctionDef | cst.ClassDef) -> set[str]:
    if isinstance(child, cst.FunctionDef):
        return {f"def {child.name.value}"}
    return {f"class {child.name.value}", *(f"class ({code_of(base.value)})" for base in child.bases)}


def _body(node: Scope) -> Body:
    if isinstance(node, cst.Module):
        return node.body
    if isinstance(node.body, cst.IndentedBlock):
        return node.body.body  # type: ignore[return-value]  # an indented block holds the same statements
    return []


def _with_body(node: Scope, body: Body) -> Scope:
    if isinstance(node, cst.Module):
        return node.with_changes(body=body)
    return node.with_changes(body=node.body.with_changes(body=body))


def _statements(edit: Edit) -> list[Statement]:
    first, *others = cst.parse_module(edit.code.strip() + "\n").body
    header = cst.parse_module(edit.code.strip() + "\n").header
    blank = [cst.EmptyLine(indent=False) for _ in range(edit.blank_lines)]
    comments = [line for line in header if line.comment]
    return [first.with_changes(leading_lines=[*blank, *comments, *first.leading_lines]), *others]


def _inserted(edit: Edit, body: Body) -> Body:
    new = _statements(edit)
    if _position(new, body) is not None:
        return body
    taken = {name for statement in body for name in _bound(statement)}
    for name in (name for statement in new for name in _bound(statement)):
        if name in taken:
            raise DoesNotFit(f"{edit.file}: the name {name} is taken there; choose another")
    starts = [code_of(statement.with_changes(leading_lines=[])) for statement in body]
    if edit.after:
        places = [number + 1 for number, code in enumerate(starts) if code.startswith(edit.after)][-1:]
    elif not edit.before:
        places = [len(body)]
    else:
        places = [number for number, code in enumerate(starts) if code.startswith(edit.before)][:1]
    if not places:
        anchor = edit.after or edit.before
        raise DoesNotFit(
            f"{edit.file}: no statement begins with `{anchor}`, beside which `{_first(edit)}` belongs"
        )
    return [*body[: places[0]], *new, *body[places[0] :]]


def _removed(edit: Edit, body: Body) -> Body:
    new = _statements(edit)
    position = _position(new, body)
    if position is None:
        raise edited(edit)
    return [*body[:position], *body[position + len(new) :]]


def _position(new: Body, body: Body) -> int | None:
    wanted, there = [code_of(one) for one in new], [code_of(one) for one in body]
    for number in range(len(there) - len(wanted) + 1):
        if all(map(same, wanted, there[number : number + len(wanted)])):
            return number
    return None


def _bound(statement: cst.CSTNode) -> list[str]:
    """Return the names that a statement gives to something."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return [statement.name.value]
    if not isinstance(statement, cst.SimpleStatementLine):
        return []
    names = []
    for small in statement.body:
        if isinstance(small, cst.AnnAssign):
            names.append(code_of(small.target))
        elif isinstance(small, cst.Assign):
            names.extend(code_of(target.target) for target in small.targets)
    return names


class _Calls(cst.CSTTransformer):
    def __init__(self, name: str, change: Callable[[cst.Call], cst.Call]) -> None:
        super().__init__()
        self.name = name
        self.change = change
        self.found = 0

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802  # libcst's
        if code_of(original_node.func) != self.name:
            return updated_node
        self.found += 1
        return self.change(updated_node)


def _with_call(tree: cst.Module, edit: Edit, change: Callable[[cst.Call], cst.Call]) -> cst.Module:
    found = 0

    def in_body(body: Body) -> Body:
        nonlocal found
        calls = _Calls(edit.call, change)
        changed = [cst.ensure_type(statement.visit(calls), type(statement)) for statement in body]
        found = calls.found
        return changed

    changed = _within(tree, edit, in_body)
    if found != 1:
        raise DoesNotFit(
            f"{edit.file}: {found} calls of {edit.call}() where one is expected, to hold `{_first(edit)}`; "
            "add it by hand"
        )
    return changed


def _argument(edit: Edit, call: cst.Call) -> tuple[int, cst.Arg]:
    for number, argument in enumerate(call.args):
        if argument.keyword is not None and argument.keyword.value == edit.argument:
            return number, argument
    raise DoesNotFit(
        f"{edit.file}: {edit.call}() has no argument {edit.argument}; add `{_first(edit)}` by hand"
    )


def _with_value(call: cst.Call, number: int, value: cst.BaseExpression) -> cst.Call:
    arguments = list(call.args)
    arguments[number] = arguments[number].with_changes(value=value)
    return call.with_changes(args=arguments)


def _list(edit: Edit, argument: cst.Arg) -> cst.List:
    if not isinstance(argument.value, cst.List):
        raise DoesNotFit(
            f"{edit.file}: {edit.argument} of {edit.call}() is no list; add `{_first(edit)}` by hand"
        )
    return argument.value


def _with_item(edit: Edit, call: cst.Call) -> cst.Call:
    number, argument = _argument(edit, call)
    items = _list(edit, argument)
    if any(same(code_of(element.value), edit.code.strip()) for element in items.elements):
        return call
    new = cst.Element(cst.parse_expression(edit.code.strip()))
    if not items.elements:
        return _with_value(call, number, items.with_changes(elements=[new]))
    *others, last = items.elements
    between = others[-1].comma if others else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if not others and isinstance(items.lbracket.whitespace_after, cst.ParenthesizedWhitespace):
        between = cst.Comma(whitespace_after=items.lbracket.whitespace_after)
    elements = [*others, last.with_changes(comma=between), new.with_changes(comma=last.comma)]
    return _with_value(call, number, items.with_changes(elements=elements))


def _without_item(edit: Edit, call: cst.Call) -> cst.Call:
    number, argument = _argument(edit, call)
    items = _list(edit, argument)
    kept = [element for element in items.elements if not same(code_of(element.value), edit.code.strip())]
    if len(kept) != len(items.elements) - 1:
        raise edited(edit)
    if kept and kept[-1] is not items.elements[-1]:
        kept[-1] = kept[-1].with_changes(comma=items.elements[-1].comma)
    return _with_value(call, number, items.with_changes(elements=kept))


def _with_argument(edit: Edit, call: cst.Call) -> cst.Call:
    if any(_is_argument(edit, argument) for argument in call.args):
        return call
    new = cst.ensure_type(cst.parse_expression(f"f({edit.code.strip()})"), cst.Call).args[0]
    if not call.args:
        return call.with_changes(args=[new])
    *others, last = call.args
    between = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        between = cst.Comma(whitespace_after=call.whitespace_before_args)
    return call.with_changes(
        args=[*others, last.with_changes(comma=between), new.with_changes(comma=last.comma)]
    )


def _without_argument(edit: Edit, call: cst.Call) -> cst.Call:
    kept = [argument for argument in call.args if not _is_argument(edit, argument)]
    if len(kept) != len(call.args) - 1:
        raise edited(edit)
    if kept and kept[-1] is not call.args[-1]:
        kept[-1] = kept[-1].with_changes(comma=call.args[-1].comma)
    without = call.with_changes(args=kept)
    if not edit.spread or "#" in code_of(call) or not kept:
        return without
    # One line again; the formatter spreads it anew if that is too long.
    one_line = [
        argument.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
        for argument in kept
    ]
    one_line[-1] = kept[-1].with_changes(
        comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace("")
    )
    return without.with_changes(args=one_line, whitespace_before_args=cst.SimpleWhitespace(""))


def _is_argument(edit: Edit, argument: cst.Arg) -> bool:
    code = code_of(argument.with_changes(comma=cst.MaybeSentinel.DEFAULT))
    return same(f"f({code})", f"f({edit.code.strip()})")


def _wrapped(edit: Edit, call: cst.Call) -> cst.Call:
    number, argument = _argument(edit, call)
    before, _, after = edit.code.strip().partition("{}")
    value = argument.value
    while isinstance(value, cst.Call):
        if _inside(edit, value) is not None:
            return call
        value = value.args[-1].value
    inner = code_of(argument.value)
    return _with_value(call, number, cst.parse_expression(f"{before}{inner}{after}"))


def _unwrapped(edit: Edit, call: cst.Call) -> cst.Call:
    number, argument = _argument(edit, call)

    def without(value: cst.BaseExpression) -> cst.BaseExpression:
        if not isinstance(value, cst.Call):
            raise edited(edit)
        inside = _inside(edit, value)
        if inside is not None:
            return inside
        last = len(value.args) - 1
        return _with_value(value, last, without(value.args[last].value))

    return _with_value(call, number, without(argument.value))


def _inside(edit: Edit, value: cst.Call) -> cst.BaseExpression | None:
    """Return what *value* wraps, if it is what *edit* made."""
    if not value.args:
        return None
    inner = value.args[-1].value
    made = edit.code.strip().replace("{}", f"({code_of(inner)})")
    return inner if same(made, code_of(value)) else None


def _first(edit: Edit) -> str:
    return edit.code.strip().splitlines()[0]
