"""Conflicts that somebody resolves by hand: a linked work tree with markers, continued or given up later.

It lies in the repository's git folder (`paypath/upgrade`), so the service's own work tree stays as it is,
and is
found again by the next run. What was asked for is remembered beside it, written last: without that record
there is no resolution under way, and what lies there is removed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paypath.scaffold.git import git, run_git
from paypath.scaffold.upgrade.answering import Said
from paypath.scaffold.upgrade.commits import branch_of, branch_tip, hand_over
from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.merges import Objects, Stages
from paypath.scaffold.upgrade.merging import Decisions
from paypath.scaffold.upgrade.plans import Choices, Plan
from paypath.scaffold.upgrade.services import Service

_marker = re.compile(rb"^(<{7}|\|{7}|>{7}) ", re.MULTILINE)
_sides = {b"<<<<<<<": b"yours", b"|||||||": b"base", b">>>>>>>": b"template"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A conflicted upgrade that somebody is resolving.

    Attributes:
        folder: the service's folder in the linked work tree.
        service_commit: the commit that the upgrade starts from.
        branch: the branch that will have the upgrade.
        new: the version that it goes to.
        paths: the files that were in conflict.
        choices: what was asked for when it began.
    """

    folder: Path
    service_commit: str
    branch: str
    new: str
    paths: tuple[str, ...]
    choices: Choices


def begin_resolution(plan: Plan, choices: Choices) -> Resolution:
    """Lay a conflicted upgrade out in a linked work tree, conflicts with markers and in the index.

    *choices* are those of *plan*, remembered so that continuing does the same.

    Raises:
        UpgradeError: one is under way already, or the upgrade's branch is there.
    """
    service, objects = plan.service, plan.objects
    branch = branch_of(service, plan.new)
    if resolution_of(service) is not None:
        raise UpgradeError(
            f"{service.name}: a resolution is under way; finish it with --continue, or give it up with "
            "--abort"
        )
    if branch_tip(service, branch):
        raise UpgradeError(f"{branch}: the branch is there already; merge it, or remove it with --undo")
    if objects is None:
        raise UpgradeError(f"{service.name}: there is nothing to resolve")
    _clear(service)
    tree = objects.grafted(service.commit, service.prefix, plan.tree)
    hand_over(objects, service, objects.commit(tree, service.commit), service.commit)
    for change in plan.open:
        for side in (change.sides.base, change.sides.ours, change.sides.theirs) if change.sides else ():
            if side is not None:
                _keep(objects, service, side.blob)
    place = _place(service) / "tree"
    place.parent.mkdir(parents=True, exist_ok=True)
    git(
        "worktree",
        "add",
        "--quiet",
        "--detach",
        "--no-checkout",
        str(place),
        service.commit,
        folder=service.repository,
    )
    git("read-tree", "-u", "--reset", tree, folder=place)
    folder = place / service.prefix
    stages = {change.path: change.sides for change in plan.open if change.sides is not None}
    _label(folder, stages)
    _mark_unmerged(place, service.prefix, stages)
    record = {
        "service_commit": service.commit,
        "branch": branch,
        "new": plan.new,
        "paths": sorted(change.path for change in plan.open),
        "choices": {
            "source": choices.source,
            "online": choices.online,
            "give": dict(choices.said.give),
            "drop": sorted(choices.said.drop),
            "ours": list(choices.decisions.ours),
            "theirs": list(choices.decisions.theirs),
        },
    }
    return _write(service, record)


def resolution_of(service: Service) -> Resolution | None:
    """Return the resolution that is under way for *service*, if there is one."""
    record = _read(service)
    return _resolution(service, record) if record is not None else None


def resolved_tree(service: Service, resolution: Resolution) -> str:
    """Return the tree of the service as it was resolved.

    Raises:
        UpgradeError: a file still holds markers; each is named.
    """
    place = _place(service) / "tree"
    left = []
    for path in resolution.paths:
        file = resolution.folder / path
        if file.is_file() and not file.is_symlink() and _marker.search(file.read_bytes()):
            left.append(path)
    if left:
        raise UpgradeError(
            f"{service.name}: still in conflict: {', '.join(left)}; edit them in {resolution.folder}, "
            "then run `paypath upgrade --continue` again"
        )
    git("-c", "core.autocrlf=false", "add", "--all", ".", folder=place)
    tree = git("write-tree", folder=place).strip()
    return git("rev-parse", f"{tree}:{service.prefix}", folder=place).strip()


def end_resolution(service: Service) -> None:
    """Remove the linked work tree and the record; the branch, if there is one, stays."""
    (_place(service) / "record.json").unlink(missing_ok=True)
    _clear(service)


def _place(service: Service) -> Path:
    name = service.prefix.strip("/").replace("/", "-") or "service"
    return service.repository / "paypath" / "upgrade" / name


def _clear(service: Service) -> None:
    place = _place(service)
    if place.exists():
        shutil.rmtree(place)
        git("worktree", "prune", folder=service.repository)


def _keep(objects: Objects, service: Service, blob: str) -> None:
    content = objects.run("cat-file", "blob", blob)
    run_git("hash-object", "-w", "--stdin", "--no-filters", folder=service.repository, given=content)


def _label(folder: Path, stages: dict[str, Stages]) -> None:
    """Have the markers say whose side is whose."""
    for path in stages:
        file = folder / path
        if file.is_file() and not file.is_symlink():
            content = re.sub(
                rb"^(<{7}|\|{7}|>{7}) [0-9a-f]{7,64}(?=:|$)",
                lambda match: match[1] + b" " + _sides[match[1]],
                file.read_bytes(),
                flags=re.MULTILINE,
            )
            file.write_bytes(content)


def _mark_unmerged(place: Path, prefix: str, stages: dict[str, Stages]) -> None:
    lines = []
    for path, sides in stages.items():
        entries = (sides.base, sides.ours, sides.theirs)
        if sum(entry is not None for entry in entries) > 1:
            zero = "0" * len(next(entry.blob for entry in entries if entry))
            lines.append(f"0 {zero}\t{prefix}{path}\0")
            lines += [
                f"{entry.mode} {entry.blob} {stage}\t{prefix}{path}\0"
                for stage, entry in enumerate(entries, 1)
                if entry
            ]
    if lines:
        given = "".join(lines).encode(errors="surrogateescape")
        run_git("update-index", "-z", "--index-info", folder=place, given=given)


def _read(service: Service) -> dict[str, Any] | None:
    try:
        record = json.loads((_place(service) / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _write(service: Service, record: dict[str, Any]) -> Resolution:
    file = _place(service) / "record.json"
    aside = file.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps(record), encoding="utf-8")
    aside.rename(file)
    return _resolution(service, record)


def _resolution(service: Service, record: dict[str, Any]) -> Resolution:
    chosen = record["choices"]
    return Resolution(
        folder=_place(service) / "tree" / service.prefix,
        service_commit=record["service_commit"],
        branch=record["branch"],
        new=record["new"],
        paths=tuple(record["paths"]),
        choices=Choices(
            to=record["new"],
            source=chosen.get("source"),
            online=chosen.get("online"),
            said=Said(chosen.get("give", {}), tuple(chosen.get("drop", ()))),
            decisions=Decisions(tuple(chosen.get("ours", ())), tuple(chosen.get("theirs", ()))),
        ),
    )
