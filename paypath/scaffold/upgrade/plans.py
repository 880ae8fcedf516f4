"""What an upgrade of one service would do; making a plan writes nothing outside the cache folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from paypath.scaffold.errors import BadInput
from paypath.scaffold.git import git
from paypath.scaffold.upgrade.answering import AnswerChange, Said, render_new, render_old
from paypath.scaffold.upgrade.changelog import changes_between
from paypath.scaffold.upgrade.classes import FileChange, FileClass
from paypath.scaffold.upgrade.errors import UnknownVersion
from paypath.scaffold.upgrade.merges import Objects
from paypath.scaffold.upgrade.merging import Decisions, ServiceMerge
from paypath.scaffold.upgrade.migrations import Migration, migrations_between
from paypath.scaffold.upgrade.renders import Renders
from paypath.scaffold.upgrade.services import Service
from paypath.scaffold.upgrade.versions import TemplateSource, TemplateVersion, version_number


class PlanState(StrEnum):
    """Where a service stands."""

    CURRENT = "current"  # nothing newer
    READY = "ready"  # an upgrade is there, and it is clean
    CONFLICTS = "conflicts"  # an upgrade is there, and somebody must decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user decides beforehand.

    Attributes:
        to: the version wanted; by default the newest release, or HEAD of a template without releases.
        source: where the template is read, if not where the answers say.
        online: ask that source itself; if False read only what this tool carries; if None read what it
            carries where the source is its own repository and the versions are in it.
        said: answers given and dropped.
        decisions: what to do about files in conflict.
    """

    to: str | None = None
    source: str | None = None
    online: bool | None = None
    said: Said = field(default_factory=lambda: Said({}))
    decisions: Decisions = field(default_factory=Decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an upgrade would do.

    Attributes:
        service: the service, at the commit that the plan is for.
        kind: its kind, where its template has kinds.
        old: the template version that it has.
        new: the one that it would have.
        state: where it stands.
        note: what else to know about the choice of versions; may be empty.
        carried_by: the version of the tool that carried the template, where that was read instead of its
            source: then nothing newer was looked for.
        changelog: what the template says has changed.
        files: every file, sorted by path.
        migrations: what the template declares besides.
        codemods: by the migrations that change code, the files that they may change.
        answers: the answers that change.
        old_tree: the old render, a git tree.
        new_tree: the new render.
        tree: the merged tree of the service, with markers in conflicts that are open.
        objects: where the trees are.
    """

    service: Service
    kind: str | None
    old: str
    new: str
    state: PlanState
    note: str = ""
    carried_by: str | None = None
    changelog: str = ""
    files: tuple[FileChange, ...] = ()
    migrations: tuple[Migration, ...] = ()
    codemods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answers: tuple[AnswerChange, ...] = ()
    old_tree: str = ""
    new_tree: str = ""
    tree: str = ""
    objects: Objects | None = None

    @property
    def open(self) -> tuple[FileChange, ...]:
        """The files about which somebody must decide."""
        return tuple(change for change in self.files if change.open)

    def of(self, file_class: FileClass) -> tuple[FileChange, ...]:
        """Return the files of one class."""
        return tuple(change for change in self.files if change.file_class is file_class)


def make_plan(
    service: Service, source: TemplateSource, renders: Renders, scratch: Path, choices: Choices
) -> Plan:
    """Return what an upgrade of *service* would do.

    Raises:
        NoService: nobody knows its template.
        UnknownVersion: one of the versions is not there.
        AnswersNeeded: answers are missing, or would be lost.
        UpgradeError: a version cannot be rendered.
    """
    answers = service.answers()
    old = source.at(fixed_version(answers.version, source))
    new, note = _target(source, old, choices.to)
    kind = str(answers.given["kind"]) if "kind" in answers.given else None
    at_rest = Plan(
        service=service,
        kind=kind,
        old=old.name,
        new=old.name,
        state=PlanState.CURRENT,
        note=note,
        carried_by=source.carried_by,
    )
    if new is None or new.digest == old.digest:
        if new is not None and new.commit != old.commit:
            return replace(at_rest, note=f"{new.name} has the same template")
        return at_rest
    migrations = migrations_between(old, new, kind)
    old_render = render_old(renders, old, answers, choices.said, new)
    new_render, answer_changes = render_new(renders, new, answers, old_render, migrations, choices.said)
    merged = ServiceMerge(
        service, old_render, new_render, migrations, Objects(service.repository, scratch, renders.objects)
    )
    tree, files = merged.outcome(answers, answer_changes, choices.decisions)
    return replace(
        at_rest,
        new=new.name,
        state=PlanState.CONFLICTS if any(change.open for change in files) else PlanState.READY,
        changelog=changes_between(new.read("CHANGELOG.md") or "", old.name, new.name),
        files=tuple(files),
        migrations=tuple(migrations),
        codemods=_codemods(migrations, merged.objects, tree),
        answers=tuple(answer_changes),
        old_tree=old_render.tree,
        new_tree=new_render.tree,
        tree=tree,
        objects=merged.objects,
    )


def resolved(plan: Plan, tree: str) -> Plan:
    """Return *plan* with what somebody made of its conflicts, a tree of the service."""
    files = tuple(
        replace(change, open=False, detail=f"{change.detail}; resolved by hand") if change.open else change
        for change in plan.files
    )
    return replace(plan, state=PlanState.READY, files=files, tree=tree)


def fixed_version(version: str, source: TemplateSource) -> str:
    """Refuse a version that means another commit tomorrow."""
    if any(name in known for name in (version, f"v{version}") for known in (source.tags, source.releases)):
        return version
    if re.search(r"(^|-g)[0-9a-f]{7,40}$", version):
        return version
    if version == "HEAD" or git("branch", "--list", "--all", version, folder=source.repository):
        raise UnknownVersion(
            f"_commit: {version} moves, so nobody knows which version the service has; "
            "find it with `paypath adopt`"
        )
    return version


def _target(
    source: TemplateSource, old: TemplateVersion, to: str | None
) -> tuple[TemplateVersion | None, str]:
    """Return the version to go to, if it is another one, and what to know about it."""
    wanted = to or source.newest or "HEAD"
    new = source.at(wanted)
    if new.commit == old.commit:
        return None, ""
    first, second = version_number(old.name), version_number(new.name)
    older = second < first if first and second else source.contains(old, new)
    if older and to is None:
        return None, f"it is newer than the newest release, {new.name}; say --to for another version"
    if older:
        raise BadInput(
            f"--to: {new.name} is older than what the service has, {old.name}; to go back, undo the upgrade "
            "(`paypath upgrade --undo`)"
        )
    return new, ""


def _codemods(migrations: Sequence[Migration], objects: Objects, tree: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for migration in migrations:
        if migration.changes_code:
            words = {name.rpartition(".")[2] for name in (*migration.imports, *migration.arguments)}
            words |= {name.rpartition(".")[2] for name in migration.settings}
            patterns = [part for word in sorted(words) for part in ("-e", word)]
            said = objects.run("grep", "-l", "-z", "-i", "-F", *patterns, tree, accept=(0, 1))
            found[migration.id] = tuple(
                path.decode(errors="surrogateescape").partition(":")[2] for path in said.split(b"\0") if path
            )
    return found
