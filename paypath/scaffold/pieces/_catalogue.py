"""The pieces that can be added, as data: one folder of `data/` each, with a `piece.yml` and its templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paypath.scaffold.errors import BadInput, did_you_mean

_data = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Something that a team adds to a service again and again.

    Attributes:
        name: what it is called on the command line.
        summary: what it is, in one line.
        kinds: which kinds of service it fits.
        name_rule: `pattern`, `most` characters, what it `says`, and an `example` of a name.
        settings_field: the field of the service's settings that it adds, if the platform could have it too.
        files: template by path in the service; both are rendered.
        edits: the edits of the service's files, as `Edit.from_data` takes them once rendered; one
            with `kinds` is made in services of those kinds alone.
        next: what the team has to do.
        folder: where its templates are.
    """

    name: str
    summary: str
    kinds: tuple[str, ...]
    name_rule: Mapping[str, Any]
    settings_field: str
    files: Mapping[str, str]
    edits: tuple[Mapping[str, Any], ...]
    next: tuple[str, ...]
    folder: Path


def piece_names() -> list[str]:
    """Return what can be added, without reading more than a folder."""
    return sorted(path.parent.name for path in _data.glob("*/piece.yml"))


def pieces() -> list[Piece]:
    """Return every piece that can be added."""
    return [piece(name) for name in piece_names()]


def piece(name: str) -> Piece:
    """Return the piece called *name*.

    Raises:
        BadInput: there is none.
    """
    import yaml  # noqa: PLC0415  # completion lists names without it

    if name not in piece_names():
        raise BadInput(f'piece: there is no "{name}"; {did_you_mean(name, piece_names())}')
    data = yaml.safe_load((_data / name / "piece.yml").read_text(encoding="utf-8"))
    return Piece(
        name=name,
        summary=data["summary"],
        kinds=tuple(data["kinds"]),
        name_rule=data["name"],
        settings_field=data.get("settings_field", ""),
        files=data["files"],
        edits=tuple(data["edits"]),
        next=tuple(data["next"]),
        folder=_data / name,
    )
