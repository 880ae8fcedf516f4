"""What an upgrade means for each file of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from paypath.scaffold.upgrade.merges import Difference, Entry, Merge, Stages


class FileClass(StrEnum):
    """What happens to a file, by who changed it since it was rendered."""

    UNCHANGED = "unchanged"
    TEMPLATE_ONLY = "template-only"
    TEAM_ONLY = "team-only"
    MERGED = "merged"
    CONFLICT = "conflict"
    DELETE_AGAINST_EDIT = "delete-against-edit"
    RENAME_FOLLOWED = "rename-followed"
    MOVED_BY_TEAM = "moved-by-team"
    IN_THE_WAY = "in-the-way"
    ANSWER_CHANGED = "answer-changed"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the service.

    Attributes:
        path: where it is after the upgrade, relative to the service.
        file_class: what happens to it.
        detail: that in words, where the class does not say it all.
        old_path: where it was before, if that differs.
        open: whether somebody must decide before the upgrade can be made.
        sides: what base, ours and theirs hold, where they contradict each other.
        owner: ``platform`` or ``seeded`` where the render's list says so; otherwise it is the team's.
    """

    path: str
    file_class: FileClass
    detail: str = ""
    old_path: str | None = None
    open: bool = False
    sides: Stages | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The files of the four trees of a merge, and how two of them differ from the first."""

    old: Mapping[str, Entry]
    ours: Mapping[str, Entry]
    new: Mapping[str, Entry]
    result: Mapping[str, Entry]
    by_template: Sequence[Difference]
    by_team: Sequence[Difference]


def classify(trees: Trees, merge: Merge) -> list[FileChange]:
    """Return what *merge* did to each file, sorted by path; every conflict is among them."""
    template = {change.old_path: change for change in trees.by_template if change.old_path}
    team = {change.old_path: change for change in trees.by_team if change.old_path}
    found = [_known(path, template.get(path), team.get(path), merge) for path in trees.old]
    found += _added(trees, merge)
    told = {path for change in found for path in (change.path, change.old_path) if path}
    found += [
        FileChange(path, FileClass.CONFLICT, "the two sides cannot both have this path", None, True, sides)  # noqa: FBT003  # a record
        for path, sides in merge.conflicts.items()
        if path not in told
    ]
    return sorted(_once(found), key=lambda change: change.path)


def _once(found: Sequence[FileChange]) -> list[FileChange]:
    """Return *found* with one entry a path, an open one before others."""
    by_path: dict[str, FileChange] = {}
    for change in found:
        if change.path not in by_path or (change.open and not by_path[change.path].open):
            by_path[change.path] = change
    return list(by_path.values())


def _known(path: str, template: Difference | None, team: Difference | None, merge: Merge) -> FileChange:
    """Return what happened to a file that the old render has."""
    if template is None and team is None:
        return FileChange(path, FileClass.UNCHANGED)
    there = _place(path, template)
    here = _place(path, team)
    clash = next((name for name in (here, there, path) if name in merge.conflicts), None)
    if clash is not None:
        return _clash(path, clash, here, there, merge)
    if template is None:
        return _by_team(path, here)
    if team is None:
        return _by_template(path, there, template)
    return _by_both(path, here, there)


def _by_both(path: str, here: str | None, there: str | None) -> FileChange:
    """Return what happened to a file that both changed without a clash: it is *here* and *there* now."""
    if there is None and here is None:
        return FileChange(path, FileClass.MERGED, "removed by both")
    if there is None or here is None:
        # One side removed what the other moved and did not edit, or git would have called it a conflict.
        gone = "the template" if there is None else "your team"
        return FileChange(here or there or path, FileClass.MERGED, f"removed by {gone}", old_path=path)
    if there != path and here == path:
        return FileChange(there, FileClass.RENAME_FOLLOWED, f"your edits follow to {there}", old_path=path)
    if here != path:
        return FileChange(
            here, FileClass.MOVED_BY_TEAM, f"the template's change follows to {here}", old_path=path
        )
    return FileChange(path, FileClass.MERGED)


def _place(path: str, change: Difference | None) -> str | None:
    if change is None:
        return path
    return change.path if change.new is not None else None


def _clash(path: str, clash: str, here: str | None, there: str | None, merge: Merge) -> FileChange:
    sides = merge.conflicts[clash]
    old_path = path if clash != path else None
    if here is None and there is not None:
        detail = "your team deleted it and the template changed it: it stays deleted"
        return FileChange(clash, FileClass.DELETE_AGAINST_EDIT, detail, old_path, open=False, sides=sides)
    if there is None and here is not None:
        detail = "the template deletes it and your team changed it"
        return FileChange(clash, FileClass.DELETE_AGAINST_EDIT, detail, old_path, open=True, sides=sides)
    detail = "both changed the same lines" if here == there else f"yours is {here}, the template's {there}"
    return FileChange(clash, FileClass.CONFLICT, detail, old_path, open=True, sides=sides)


def _by_team(path: str, here: str | None) -> FileChange:
    if here is None:
        return FileChange(path, FileClass.TEAM_ONLY, "deleted by your team; it stays deleted")
    if here != path:
        return FileChange(here, FileClass.TEAM_ONLY, f"moved from {path}", old_path=path)
    return FileChange(path, FileClass.TEAM_ONLY)


def _by_template(path: str, there: str | None, change: Difference) -> FileChange:
    if there is None:
        return FileChange(path, FileClass.TEMPLATE_ONLY, "deleted")
    if there != path:
        how = "renamed" if change.old == change.new else "renamed and changed"
        return FileChange(there, FileClass.TEMPLATE_ONLY, f"{how} from {path}", old_path=path)
    return FileChange(path, FileClass.TEMPLATE_ONLY, "changed")


def _added(trees: Trees, merge: Merge) -> list[FileChange]:
    """Return what happened to files that the old render does not have."""
    by_template = {change.path for change in trees.by_template if change.old_path is None}
    by_team = {change.path for change in trees.by_team if change.old_path is None}
    moved = {
        paths[1]: paths[0] for kind, paths, _ in merge.told if "directory rename" in kind and len(paths) > 1
    }
    found = []
    for path in by_template | by_team:
        if path in merge.conflicts:
            sides = merge.conflicts[path]
            detail = "both added it" if sides.ours and sides.theirs else "the two sides cannot both have it"
            found.append(FileChange(path, FileClass.CONFLICT, detail, open=True, sides=sides))
        elif path in by_template and path in by_team:
            found.append(FileChange(path, FileClass.MERGED, "added by both, the same"))
        elif path in moved and path not in trees.result:
            who, to = (
                ("template", FileClass.MOVED_BY_TEAM)
                if path in by_template
                else ("team", FileClass.RENAME_FOLLOWED)
            )
            whose = "your" if who == "template" else "the template's"
            found.append(
                FileChange(moved[path], to, f"added by the {who}; follows {whose} folder", old_path=path)
            )
        else:
            added = FileClass.TEMPLATE_ONLY if path in by_template else FileClass.TEAM_ONLY
            found.append(FileChange(path, added, "added"))
    return found


def decided(change: FileChange, whose: str) -> FileChange:
    """Return *change* as settled by the user, who keeps ``ours`` or takes ``theirs``."""
    kept = "yours is kept" if whose == "ours" else "the template's is taken"
    return replace(change, open=False, detail=f"{change.detail}; as you said, {kept}")
