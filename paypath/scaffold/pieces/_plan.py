"""Adding a piece to a service, and taking it out again."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from paypath.scaffold.errors import BadInput
from paypath.scaffold.pieces._catalogue import Piece, piece
from paypath.scaffold.pieces._changes import Change
from paypath.scaffold.pieces._edits import DoesNotFit, Edit, EditedSince, make, unmake
from paypath.scaffold.pieces._names import variables
from paypath.scaffold.pieces._service import Service, ledger_folder, service_in

Files = dict[str, tuple[str | None, str | None]]


def plan_add(folder: Path, piece_name: str, name: str) -> Change:
    """Return what adding the piece *piece_name*, called *name*, to the service in *folder* would change.

    Nothing is left to change where it is there already.

    Raises:
        BadInput: the piece does not fit the service, the name is bad or taken, or uncommitted work is in the
            way; `DoesNotFit` where the service's code has no place for it.
    """
    chosen, service = piece(piece_name), service_in(folder)
    if service.kind not in chosen.kinds:
        raise BadInput(
            f"{piece_name}: fits {', '.join(chosen.kinds)}, and {service.answers['service_name']} is of kind "
            f"{service.kind}; write it by hand"
        )
    ledger = _ledger(piece_name, name)
    if service.read(ledger) is not None:
        return Change(verb="add", piece=piece_name, name=name, folder=service.folder, files={})
    values = variables(chosen, name, service)
    new = {
        _rendered(path, values): _rendered((chosen.folder / template).read_text("utf-8"), values)
        for template, path in chosen.files.items()
    }
    edits = [
        _edit(chosen, data, values)
        for data in chosen.edits
        if service.kind in data.get("kinds", chosen.kinds)
    ]
    after = {path: _formed(service, path, text) for path, text in new.items()}
    edits = _made(service, edits, after)
    for path in new:
        if service.read(path) not in {None, after[path]}:
            raise DoesNotFit(f"{path}: is there already, as something else; choose another name")
    after[ledger] = _entry(new={path: after[path] for path in new}, edits=edits)
    files: Files = {
        path: (service.read(path), text) for path, text in after.items() if service.read(path) != text
    }
    _require_clean(service, files)
    return Change(
        verb="add",
        piece=piece_name,
        name=name,
        folder=service.folder,
        files=files,
        next=tuple(_rendered(line, values) for line in chosen.next),
        notes=_notes(service),
    )


def plan_remove(folder: Path, piece_name: str, name: str) -> Change:
    """Return what taking the piece *piece_name*, called *name*, out of the service in *folder* would change.

    Nothing is left to change where it is not there.

    Raises:
        EditedSince: something of it was edited since it was added.
        BadInput: something else needs it, or uncommitted work is in the way.
    """
    piece(piece_name)
    service = service_in(folder)
    ledger = _ledger(piece_name, name)
    text = service.read(ledger)
    if text is None:
        return Change(verb="remove", piece=piece_name, name=name, folder=service.folder, files={})
    entry = _read_entry(ledger, text)
    _require_unneeded(service, entry)
    files: Files = {ledger: (text, None)}
    changed = []
    for path, digest in entry["files"].items():
        there = service.read(path)
        if there is not None and _digest(there) != digest:
            changed.append(path)
        elif there is not None:
            files[path] = (there, None)
    if changed:
        raise EditedSince(
            f"{', '.join(changed)}: edited since {piece_name} {name} was added, so nothing was taken out; "
            "move what is yours elsewhere, or take the piece out by hand and delete its entry in "
            f"{ledger_folder}/"
        )
    for edit in [Edit.from_data(data) for data in reversed(entry["edits"])]:
        before = files[edit.file][0] if edit.file in files else service.read(edit.file)
        now = files[edit.file][1] if edit.file in files else before
        if now is None:
            raise EditedSince(f"{edit.file}: is gone; take out by hand what is left of {piece_name} {name}")
        files[edit.file] = (before, unmake(edit, now))
    files = {
        path: (before, after if after is None else _formed(service, path, after))
        for path, (before, after) in files.items()
    }
    _require_clean(service, files)
    return Change(verb="remove", piece=piece_name, name=name, folder=service.folder, files=files)


def added(folder: Path | str) -> list[tuple[str, str]]:
    """Return the pieces that were added to the service in *folder*, each as piece and name."""
    entries = sorted((service_in(Path(folder)).folder / ledger_folder).glob("*/*.json"))
    return [(entry.parent.name, entry.stem) for entry in entries]


def _notes(service: Service) -> tuple[str, ...]:
    """Say that the service is of another minor version, whose library may lack what a piece imports."""
    ours, theirs = version("paypath"), service.answers.get("_commit", "").removeprefix("v")
    if not re.match(r"\d+\.\d+\.", theirs) or theirs.split(".")[:2] == ours.split(".")[:2]:
        return ()
    said = (
        f"the service is of version {theirs} and this paypath of {ours}; if `make check` misses something of "
        "the library, upgrade the service first"
    )
    return (said,)


def _ledger(piece_name: str, name: str) -> str:
    """Return where the service remembers what was added: a file each, so that branches do not collide."""
    if "/" in name or name.startswith("."):
        raise BadInput(f'{piece_name}: "{name}" is no name for one; it becomes the name of a file')
    return f"{ledger_folder}/{piece_name}/{name}.json"


def _entry(new: dict[str, str], edits: Iterable[Edit]) -> str:
    entry = {
        "paypath": version("paypath"),
        "files": {path: _digest(text) for path, text in sorted(new.items())},
        "edits": [edit.data() for edit in edits],
    }
    return json.dumps(entry, indent=2, ensure_ascii=False) + "\n"


def _read_entry(path: str, text: str) -> dict[str, Any]:
    try:
        entry = json.loads(text)
        return {"files": dict(entry["files"]), "edits": list(entry["edits"])}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: cannot be read ({error}); restore it from the service's history") from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _edit(chosen: Piece, data: Any, values: dict[str, str]) -> Edit:
    data = {name: value for name, value in data.items() if name != "kinds"}
    if template := data.pop("from", None):
        data["code"] = (chosen.folder / template).read_text("utf-8")
    return Edit.from_data(
        {
            name: [_rendered(part, values) for part in value]
            if isinstance(value, list)
            else _rendered(value, values)
            if isinstance(value, str)
            else value
            for name, value in data.items()
        }
    )


def _made(service: Service, edits: Iterable[Edit], after: dict[str, str]) -> list[Edit]:
    """Make *edits* in the texts of *after*, and return them as they have to be unmade."""
    made = []
    for edit in edits:
        text = after.get(edit.file) or service.read(edit.file)
        if text is None:
            raise DoesNotFit(f"{edit.file}: is not there, and has to be edited; restore it, or add by hand")
        after[edit.file] = _formed(service, edit.file, make(edit, text))
        more = after[edit.file].count("\n") > text.count("\n")
        made.append(replace(edit, spread=more and edit.op in {"import", "argument"}))
    return made


def _require_clean(service: Service, files: Files) -> None:
    """Refuse to touch files with uncommitted work, which git could not tell from ours afterwards.

    Giving back what was committed is no touch: what was just added can be taken out again.
    """
    dirty = service.dirty()
    in_the_way = [
        path
        for path, (before, after) in sorted(files.items())
        if before is not None and path in dirty and after != service.committed(path)
    ]
    if in_the_way:
        raise BadInput(f"{', '.join(in_the_way)}: not committed; commit or stash first")


def _require_unneeded(service: Service, entry: dict[str, Any]) -> None:
    """Refuse to take out a migration that another one follows."""
    revisions = service.revisions()
    for path in entry["files"]:
        if "/migrations/versions/" in path:
            own = Path(path).name.partition("_")[0]
            if followers := [revision for revision, before in revisions.items() if before == own]:
                raise BadInput(
                    f"{path}: migration {', '.join(followers)} follows it; take that out first, or write a "
                    "migration that drops the table"
                )


def _rendered(text: str, values: dict[str, str]) -> str:
    from jinja2 import StrictUndefined  # noqa: PLC0415  # takes its time to import
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415  # the same

    environment = SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.from_string(text).render(values)


def _formed(service: Service, path: str, text: str) -> str:
    """Return *text* in the form that the service's own formatter gives it, where there is one.

    Long names move line breaks, and `make check` looks at them.
    """
    near = (service.folder / ".venv/bin/ruff", Path(sys.executable).with_name("ruff"))
    found = next((str(ruff) for ruff in near if ruff.is_file()), shutil.which("ruff"))
    if not path.endswith(".py") or found is None:
        return text
    done = subprocess.run(  # noqa: S603  # the service's own formatter
        [found, "format", "--quiet", "--no-cache", "--stdin-filename", path, "-"],
        cwd=service.folder,
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    return done.stdout.decode() if done.returncode == 0 else text
