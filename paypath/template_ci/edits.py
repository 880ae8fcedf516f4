"""What a team changes in its service between two upgrades, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paypath.scaffold.errors import BadInput, ScaffoldError, did_you_mean

_operations = {
    "write": ("text",),
    "append": ("text",),
    "replace": ("old", "new"),
    "delete": (),
    "rename": ("to",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one file.

    Attributes:
        operation: ``write``, ``append``, ``replace``, ``delete`` or ``rename``.
        path: the file, relative to the service.
        texts: what the operation needs besides: ``text``; ``old`` and ``new``; ``to``.

    Answers stand in braces, in paths and in texts: ``src/{package}/ours.py``.
    """

    operation: str
    path: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What one team has done.

    Attributes:
        name: how reports call it.
        changes: in their order; none is a service that nobody has touched.
        kinds: the kinds of service that it fits; all of them if empty.
        releases: the releases that it fits; all of them if empty.
        conflicts: by release, the files about which an upgrade has to ask; everything else merges.
        after: commands that the team has to run after the upgrade, such as one that writes a file anew.
    """

    name: str
    changes: tuple[Change, ...] = ()
    kinds: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    conflicts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    after: tuple[str, ...] = ()

    def renames(self, answers: Mapping[str, Any]) -> dict[str, str]:
        """Return the old path of each file that it renames, by the new one."""
        return {
            filled(change.texts["to"], answers): filled(change.path, answers)
            for change in self.changes
            if change.operation == "rename"
        }

    def apply(self, service: Path, answers: Mapping[str, Any]) -> None:
        """Make the changes in the folder *service*.

        Raises:
            ScaffoldError: one of them does not fit; says which.
        """
        for number, change in enumerate(self.changes, 1):
            texts = {name: filled(text, answers) for name, text in change.texts.items()}
            path = filled(change.path, answers)
            where = f"edit {self.name}: change {number}: {change.operation} {path}"
            _make(change.operation, service, path, texts, where)


def filled(text: str, answers: Mapping[str, Any]) -> str:
    """Return *text* with the answers that stand in braces in it.

    Examples:
        >>> filled("src/{package}/a.py: {x}", {"package": "till"})
        'src/till/a.py: {x}'
    """
    for name, answer in answers.items():
        text = text.replace(f"{{{name}}}", str(answer))
    return text


def read_changes(given: Any, where: str) -> tuple[Change, ...]:
    """Return the changes that a list of mappings declares.

    Raises:
        BadInput: it declares something else.
    """
    if given is None:
        return ()
    if not isinstance(given, list):
        raise BadInput(f"{where}: is no list; begin each change with `- write:`")
    return tuple(_change(entry, f"{where}: {number}") for number, entry in enumerate(given, 1))


def _change(entry: Any, where: str) -> Change:
    if not isinstance(entry, dict):
        raise BadInput(f"{where}: {entry!r} is no change; begin it with `- write:`")
    operations = [name for name in entry if name in _operations]
    if len(operations) != 1:
        named = str(next(iter(entry), ""))
        raise BadInput(
            f"{where}: says {len(operations)} of {', '.join(_operations)}; {did_you_mean(named, _operations)}"
        )
    [operation] = operations
    wanted = _operations[operation]
    if set(entry) != {operation, *wanted}:
        raise BadInput(f"{where}: {operation} takes {' and '.join(wanted) or 'nothing else'}; say that")
    return Change(operation, str(entry[operation]), {name: str(entry[name]) for name in wanted})


def _make(operation: str, service: Path, path: str, texts: Mapping[str, str], where: str) -> None:
    file = service / path
    if operation == "write" and file.exists():
        raise ScaffoldError(f"{where}: the file is there already; replace in it, or take another name")
    if operation != "write" and not file.is_file():
        raise ScaffoldError(f"{where}: there is no such file; name another, or the releases that have it")
    if operation == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts["text"], encoding="utf-8")
    elif operation == "append":
        file.write_text(file.read_text(encoding="utf-8") + texts["text"], encoding="utf-8")
    elif operation == "replace":
        before = file.read_text(encoding="utf-8")
        if before.count(texts["old"]) != 1:
            raise ScaffoldError(
                f"{where}: its text is there {before.count(texts['old'])} times; give one that is there once"
            )
        file.write_text(before.replace(texts["old"], texts["new"]), encoding="utf-8")
    elif operation == "delete":
        file.unlink()
    else:
        target = service / texts["to"]
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
