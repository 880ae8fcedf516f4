"""Plans and upgrades as JSON documents, for scripts and reports."""

from __future__ import annotations

import re
from typing import Any

from paypath.scaffold.upgrade.applying import Upgraded
from paypath.scaffold.upgrade.classes import FileChange, FileClass
from paypath.scaffold.upgrade.plans import Plan

_hunk = re.compile(
    rb"^<{7} [^\n]*\n(?P<ours>.*?)^\|{7}[^\n]*\n(?P<base>.*?)^={7}\n(?P<theirs>.*?)^>{7} [^\n]*$",
    re.MULTILINE | re.DOTALL,
)
_shown_bytes = 20_000


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return *plan* as JSON: versions, state, classes of files, conflicts with sides, answers, codemods."""
    return {
        "service": plan.service.name,
        "folder": str(plan.service.folder),
        "commit": plan.service.commit,
        "kind": plan.kind,
        "from": plan.old,
        "to": plan.new,
        "state": plan.state.value,
        "note": plan.note,
        "carried_by": plan.carried_by,
        "changelog": plan.changelog,
        "answers": [
            {"name": answer.name, "old": answer.old, "new": answer.new, "why": answer.why}
            for answer in plan.answers
        ],
        "codemods": [
            {"id": migration.id, "why": migration.why, "files": list(plan.codemods[migration.id])}
            for migration in plan.migrations
            if migration.id in plan.codemods
        ],
        "counts": {each.value: len(plan.of(each)) for each in FileClass},
        "files": [_file(plan, change) for change in plan.files],
    }


def upgraded_document(made: Upgraded) -> dict[str, Any]:
    """Return an upgrade that was made as JSON: its plan, branch, commits, tests and notes."""
    return {
        **plan_document(made.plan),
        "state": "upgraded",
        "branch": made.branch,
        "steps": [{"name": step.name, "commit": step.commit} for step in made.steps],
        "tests": [
            {
                "when": suite.when,
                "command": suite.command,
                "passed": suite.passed,
                "seconds": round(suite.seconds, 1),
                "output": suite.output,
            }
            for suite in made.tests
        ],
        "notes": list(made.notes),
    }


def conflict_hunks(plan: Plan, change: FileChange) -> list[tuple[str, str]]:
    """Return what base, ours and theirs hold where they contradict each other, as (side, text), hunk by hunk.

    A side that has no such file is left out; a file that is no text is told by its size.
    """
    if change.sides is None or plan.objects is None:
        return []
    objects = plan.objects
    sides = {"base": change.sides.base, "ours": change.sides.ours, "theirs": change.sides.theirs}
    merged = objects.files(plan.tree).get(change.path)
    hunks = list(_hunk.finditer(objects.content(merged))) if merged else []
    if hunks:
        return [(side, _text(hunk[side])) for hunk in hunks for side in sides]
    return [(side, _text(objects.content(entry))) for side, entry in sides.items() if entry is not None]


def _file(plan: Plan, change: FileChange) -> dict[str, Any]:
    document: dict[str, Any] = {"path": change.path, "class": change.file_class.value}
    if change.detail:
        document["detail"] = change.detail
    if change.owner:
        document["owner"] = change.owner
    if change.old_path:
        document["old_path"] = change.old_path
    if change.open:
        document["open"] = True
        document["conflict"] = [{"side": side, "text": text} for side, text in conflict_hunks(plan, change)]
    return document


def _text(content: bytes) -> str:
    if b"\0" in content:
        return f"({len(content)} bytes that are no text)"
    text = content.decode(errors="replace")
    return (
        text if len(text) <= _shown_bytes else f"{text[:_shown_bytes]}\n(and {len(text) - _shown_bytes} more)"
    )
