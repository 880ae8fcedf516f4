"""The edits that wire a piece into a service, as data, and how each is made and unmade.

What can be edited: a Python file on its syntax tree (`import`, `statement`, `item`, `argument`, `wrap`), the
end of a text file (`text`), and a JSON document (`json`). Making an edit that is made changes nothing;
unmaking one that cannot be found as it was made is refused, as somebody has worked on it since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from paypath.scaffold.errors import BadInput


class DoesNotFit(BadInput):
    """The service's code has no place for the edit, or the place is taken. Nothing was written."""


class EditedSince(BadInput):
    """What was added was edited since, so taking it out could lose somebody's work. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit of one file.

    Attributes:
        file: the path in the service.
        op: import, statement, item, argument, wrap, text or json.
        code: what is added: an imported name, statements, a list's item, an argument, a call with ``{}``
            where what it wraps goes, a block of text, or a JSON value.
        module: import: where the name comes from.
        scope: statement, item, argument, wrap: the way to the place, such as ``def wire``.
        after: statement: how the statement begins that it follows; the last such one.
        before: statement: how the statement begins that it precedes; the first such one. With neither,
            it goes to the end of its scope.
        blank_lines: statement: how many stand before it.
        call: item, argument, wrap: the function whose call is edited.
        argument: item: the keyword argument that is a list; wrap: the one that is wrapped.
        at: json: the members on the way to the object.
        key: json: the member that is added at its end.
        spread: import, argument: the formatter spread what was one line over several because of it.
    """

    file: str
    op: str
    code: str
    module: str = ""
    scope: tuple[str, ...] = ()
    after: str = ""
    before: str = ""
    blank_lines: int = 0
    call: str = ""
    argument: str = ""
    at: tuple[str, ...] = ()
    key: str = ""
    spread: bool = False

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Edit:
        """Return the edit that *data* describes, by the names of the attributes."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)

    def data(self) -> dict[str, Any]:
        """Return the same as data, without what is empty."""
        standard = {field.name: field.default for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != standard[name]
        }


def make(edit: Edit, text: str) -> str:
    """Return *text* with *edit* made; the same text if it is made already.

    Raises:
        DoesNotFit: there is no place for it, or the place is taken.
    """
    if edit.op == "text":
        return text if _block(edit) in text else text.rstrip("\n") + "\n" + _block(edit)
    if edit.op == "json":
        return _with_member(edit, text)
    from paypath.scaffold.pieces import _syntax  # noqa: PLC0415  # libcst takes its time to import

    return _syntax.make(edit, text)


def unmake(edit: Edit, text: str) -> str:
    """Return *text* without what *edit* added.

    Raises:
        EditedSince: it is not there as it was added.
    """
    if edit.op == "text":
        if text.count(_block(edit)) != 1:
            raise edited(edit)
        return text.replace(_block(edit), "")
    if edit.op == "json":
        return _without_member(edit, text)
    from paypath.scaffold.pieces import _syntax  # noqa: PLC0415  # as above

    return _syntax.unmake(edit, text)


def edited(edit: Edit) -> EditedSince:
    """Return the refusal to unmake *edit*."""
    what = (edit.code.strip() or edit.key).splitlines()[0]
    return EditedSince(
        f"{edit.file}: `{what}` is not there as it was added; take it out by hand, or undo your change to it"
    )


def _block(edit: Edit) -> str:
    return f"\n{edit.code.strip()}\n"


def _with_member(edit: Edit, text: str) -> str:
    document, parent = _parent(edit, text)
    if edit.key in parent:
        if parent[edit.key] == json.loads(edit.code):
            return text
        raise DoesNotFit(f"{edit.file}: {edit.key} is there already, as something else; choose another name")
    parent[edit.key] = json.loads(edit.code)
    return _dump(document)


def _without_member(edit: Edit, text: str) -> str:
    document, parent = _parent(edit, text)
    if parent.get(edit.key) != json.loads(edit.code):
        raise edited(edit)
    del parent[edit.key]
    return _dump(document)


def _parent(edit: Edit, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        document = parent = json.loads(text)
        for name in edit.at:
            parent = parent[name]
    except (ValueError, KeyError, TypeError) as error:
        raise DoesNotFit(
            f"{edit.file}: holds no {'.'.join(edit.at)}; write it anew, then try again"
        ) from error
    return document, parent


def _dump(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
