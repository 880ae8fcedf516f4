"""The merge of one service: from two renders and its own tree to one tree, and a class for each file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paypath.scaffold.errors import BadInput, did_you_mean
from paypath.scaffold.render import answers_file
from paypath.scaffold.upgrade.answering import AnswerChange
from paypath.scaffold.upgrade.answers import Answers, read_answers
from paypath.scaffold.upgrade.classes import FileChange, FileClass, Trees, classify, decided
from paypath.scaffold.upgrade.errors import NoService
from paypath.scaffold.upgrade.merges import Difference, Entry, Merge, Objects, Stages
from paypath.scaffold.upgrade.migrations import Migration
from paypath.scaffold.upgrade.ownership import read_ownership
from paypath.scaffold.upgrade.renders import Render
from paypath.scaffold.upgrade.services import Service


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the user decided about files in conflict: paths of which one side is taken whole."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()


class ServiceMerge:
    """The merge of one service, from two renders to a tree and a class for each file."""

    def __init__(
        self, service: Service, old: Render, new: Render, migrations: Iterable[Migration], objects: Objects
    ) -> None:
        self._service = service
        self.objects = objects
        self._old = objects.files(old.tree)
        differences = objects.differences((old.tree, new.tree), (old.tree, service.tree))
        self._new, self._ours = _applied(self._old, differences[0]), _applied(self._old, differences[1])
        self._trees = {"old": old.tree, "ours": service.tree, "new": new.tree}
        self._ownership = read_ownership(objects, self._new)
        self._seed(new.seeded)
        self._leave_to_the_team(self._ownership.seeded | read_ownership(objects, self._old).seeded)
        self._renames = dict(self._declared(migrations, old.answers))
        for path, renamed in self._renames.items():
            self._move(path, renamed)

    def outcome(
        self, answers: Answers, changes: Sequence[AnswerChange], decisions: Decisions
    ) -> tuple[str, list[FileChange]]:
        """Return the merged tree and what happens to each file."""
        merge = self.objects.merge(self._trees["old"], self._trees["ours"], self._trees["new"])
        by_template, by_team, by_merge = self.objects.differences(
            (self._trees["old"], self._trees["new"]),
            (self._trees["old"], self._trees["ours"]),
            (self._trees["ours"], merge.tree),
        )
        result = _applied(self._ours, by_merge)
        files = classify(
            Trees(
                old=self._old,
                ours=self._ours,
                new=self._new,
                result=result,
                by_template=by_template,
                by_team=by_team,
            ),
            merge,
        )
        corrections: dict[str, Entry | None] = {
            change.path: None
            for change in files
            if change.file_class is FileClass.DELETE_AGAINST_EDIT and not change.open
        }
        files = [self._owned(self._renamed_by_declaration(change)) for change in files]
        files = self._in_the_way(files, result, corrections)
        files = self._answers(files, answers, changes, result, merge, corrections)
        files = self._decide(files, decisions, corrections)
        return self.objects.with_files(merge.tree, corrections), files

    def _seed(self, seeded: Iterable[str]) -> None:
        """Let the template's say over *seeded* end where the service has such a file."""
        new: dict[str, Entry | None] = {}
        old: dict[str, Entry | None] = {}
        for path in seeded:
            if path in self._ours:
                new[path] = self._old.get(path)
            elif path in self._old:
                old[path] = None
        self._correct("new", self._new, new)
        self._correct("old", self._old, old)

    def _leave_to_the_team(self, seeded: Iterable[str]) -> None:
        """Have the template say nothing about *seeded* files that the service once had."""
        self._correct("new", self._new, {path: self._old[path] for path in seeded if path in self._old})

    def _declared(
        self, migrations: Iterable[Migration], answers: Mapping[str, Any]
    ) -> Iterable[tuple[str, str]]:
        for migration in migrations:
            for path, renamed in migration.files.items():
                try:
                    yield path.format_map(answers), renamed.format_map(answers)
                except KeyError as error:
                    raise BadInput(
                        f"migrations.yml ({migration.id}): {path} names the answer {error}, which there is "
                        "not; "
                        f"{did_you_mean(str(error), answers)}"
                    ) from error

    def _move(self, path: str, renamed: str) -> None:
        """Have base and ours at the template's new place, so that the merge compares like with like."""
        if path in self._ours and path in self._old and renamed not in self._ours and renamed in self._new:
            for name, files in (("old", self._old), ("ours", self._ours)):
                self._correct(name, files, {renamed: files[path], path: None})

    def _correct(self, name: str, files: dict[str, Entry], corrections: Mapping[str, Entry | None]) -> None:
        corrections = {path: entry for path, entry in corrections.items() if files.get(path) != entry}
        self._trees[name] = self.objects.with_files(self._trees[name], corrections)
        for path, entry in corrections.items():
            files.pop(path, None)
            if entry is not None:
                files[path] = entry

    def _renamed_by_declaration(self, change: FileChange) -> FileChange:
        old_path = next((old for old, new in self._renames.items() if new == change.path), None)
        if old_path is None or change.old_path is not None or change.open:
            return change
        if change.file_class in {FileClass.UNCHANGED, FileClass.TEMPLATE_ONLY}:
            return replace(
                change,
                file_class=FileClass.TEMPLATE_ONLY,
                detail=f"renamed from {old_path}",
                old_path=old_path,
            )
        return replace(
            change,
            file_class=FileClass.RENAME_FOLLOWED,
            detail=f"your edits follow to {change.path}",
            old_path=old_path,
        )

    def _owned(self, change: FileChange) -> FileChange:
        if change.path in self._ownership.platform:
            return replace(change, owner="platform")
        return replace(change, owner="seeded") if change.path in self._ownership.seeded else change

    def _in_the_way(
        self, files: list[FileChange], result: Mapping[str, Entry], corrections: dict[str, Entry | None]
    ) -> list[FileChange]:
        """Leave out what would overwrite a file that git does not know: it could not bring that back."""
        if self._service.top is None:
            return files
        place = self._service.top / self._service.prefix
        kept = []
        for change in files:
            if (
                change.path in result
                and change.path not in self._ours
                and os.path.lexists(place / change.path)
            ):
                corrections[change.path] = None
                detail = (
                    "the template adds it, and a file that is not committed lies there; it stays as it is"
                )
                sides = change.sides or Stages(theirs=result[change.path])
                kept.append(
                    FileChange(
                        change.path, FileClass.IN_THE_WAY, detail, change.old_path, open=True, sides=sides
                    )
                )
            else:
                kept.append(change)
        return kept

    def _answers(
        self,
        files: list[FileChange],
        answers: Answers,
        changes: Sequence[AnswerChange],
        result: Mapping[str, Entry],
        merge: Merge,
        corrections: dict[str, Entry | None],
    ) -> list[FileChange]:
        """Have the answers file say what was rendered; lines of comment and keys that the team added stay."""
        if answers_file not in self._new:
            return files
        names = ", ".join(change.name for change in changes)
        told = f"answers change: {names}" if names else "names the new version"
        file_class = FileClass.ANSWER_CHANGED if names else FileClass.TEMPLATE_ONLY
        if answers_file in merge.conflicts or not self._says_the_new(result.get(answers_file)):
            text = self._with_own_lines(answers.text)
            corrections[answers_file] = Entry(self._new[answers_file].mode, self.objects.store(text))
        others = [change for change in files if change.path != answers_file]
        return sorted([*others, FileChange(answers_file, file_class, told)], key=lambda change: change.path)

    def _says_the_new(self, merged_file: Entry | None) -> bool:
        """Tell whether the merged answers file holds everything that the new render's says."""
        if merged_file == self._new[answers_file]:
            return True
        try:
            merged = read_answers(self._text(merged_file), answers_file)
        except NoService:
            return False
        new = read_answers(self._text(self._new[answers_file]), answers_file)
        return (
            merged.version == new.version
            and merged.source == new.source
            and {**merged.given, **new.given} == merged.given
        )

    def _with_own_lines(self, text: str) -> bytes:
        """Return the new answers file, and below it what the team wrote into the old one besides."""
        old, new = self._text(self._old.get(answers_file)), self._text(self._new[answers_file])
        rendered = {*old.splitlines(), *new.splitlines()}
        keys = {match[1] for each in (old, new) for match in re.finditer(r"^(\w+):", each, re.MULTILINE)}
        own = []
        theirs = False
        for line in text.splitlines():
            key = re.match(r"(\w+):", line)
            if key:
                theirs = key[1] not in keys
            if line not in rendered and (theirs or line.lstrip().startswith("#")):
                own.append(line)
        return (new + "".join(f"{line}\n" for line in own)).encode()

    def _text(self, entry: Entry | None) -> str:
        return self.objects.content(entry).decode(errors="replace")

    def _decide(
        self, files: list[FileChange], decisions: Decisions, corrections: dict[str, Entry | None]
    ) -> list[FileChange]:
        """Settle what the user decided."""
        undecided = {change.path: change for change in files if change.open}
        for path in (*decisions.ours, *decisions.theirs):
            if path not in undecided:
                raise BadInput(
                    f'"{path}": nothing is to be decided there; '
                    f"{did_you_mean(path, undecided or ['no file'])}"
                )
        settled = {}
        for whose, paths in (("ours", decisions.ours), ("theirs", decisions.theirs)):
            for path in paths:
                change = undecided[path]
                sides = change.sides
                if change.file_class is FileClass.IN_THE_WAY:
                    if whose == "theirs":
                        raise BadInput(f"{path}: your own file lies there; move it away, then run again")
                    settled[path] = decided(change, whose)
                    continue
                corrections[path] = (sides.ours if whose == "ours" else sides.theirs) if sides else None
                settled[path] = decided(change, whose)
        return [settled.get(change.path, change) for change in files]


def _applied(files: Mapping[str, Entry], differences: Iterable[Difference]) -> dict[str, Entry]:
    """Return *files* as *differences* leave them."""
    changed = dict(files)
    added = {}
    for difference in differences:
        if difference.old_path is not None:
            changed.pop(difference.old_path, None)
        if difference.new is not None:
            added[difference.path] = difference.new
    return {**changed, **added}
