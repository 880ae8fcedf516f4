"""A new service, from the question which kind to its first commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.history import commit_all, surrounding_work_tree
from paypath.scaffold.placement import appearing, require_free
from paypath.scaffold.questions import Kind, choose, kinds_of
from paypath.scaffold.render import answers_file, render
from paypath.scaffold.sources import open_source


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """A service that was just generated.

    Attributes:
        folder: where it is.
        kind: which kind it is.
        answers: every answer, as its answers file holds them.
        defaulted: the names of the answers that could have been asked for, and were not.
        version: the version of its template, as ``_commit`` of its answers file.
        source: the template's folder or URL.
        files: the paths of its files, relative to *folder*, sorted.
        commit: its first commit; None where git was not wanted, or *work_tree* takes the files in.
        work_tree: the git work tree that it lies in, if that does not ignore it.
        notes: what the user should know.
    """

    folder: Path
    kind: str
    answers: Mapping[str, str]
    defaulted: tuple[str, ...]
    version: str
    source: str
    files: tuple[str, ...]
    commit: str | None
    work_tree: Path | None
    notes: tuple[str, ...]


def new(
    destination: Path,
    *,
    kind: str | None = None,
    answers: Mapping[str, str] | None = None,
    source: str | None = None,
    ref: str | None = None,
    worktree: bool = False,
    prompt: bool = False,
    use_git: bool = True,
) -> NewService:
    """Generate a service at *destination*, which appears whole or not at all.

    Args:
        destination: a folder that does not exist, or is empty.
        kind: which kind of service; left out, it is asked if *prompt*, or else the template's default.
        answers: answers by question; the others are asked if *prompt*, or else have their default.
        source: a git URL or a folder; by default what this tool was installed from.
        ref: a tag, branch or commit of *source*; by default HEAD of a checkout, the newest release of a URL.
        worktree: render the files of a checkout as they are, committed or not; such a service can be updated
            once the version of its template is tagged.
        prompt: ask on the terminal.
        use_git: make it a git repository with a first commit, unless it lies in a work tree already.

    Raises:
        BadInput: what was asked for cannot be done, and why.
        ScaffoldError: it could not be generated.
        KeyboardInterrupt: the user left.
    """
    answers = dict(answers or {})
    destination = Path(destination).resolve()
    require_free(destination)
    with open_source(source, ref=ref, worktree=worktree) as opened, appearing(destination) as staged:
        chosen = choose(opened, kind, answers)
        kind_is_open = kind is None and "kind" not in answers and len(kinds_of(opened)) > 1
        render(
            opened,
            staged,
            answers if kind_is_open and prompt else {**answers, "kind": chosen.name},
            suggestions=_suggestions(destination) if prompt else None,
            prompt=prompt,
        )
        files = tuple(sorted(str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file()))
        stored = yaml.safe_load((staged / answers_file).read_text(encoding="utf-8"))
        if not {"_commit", "_src_path"} <= stored.keys():
            raise ScaffoldError(
                f"{answers_file}: the template at {opened.origin} leaves out _commit or _src_path, without "
                "which no service can be updated; write both, as templates/shared/answers.yml does"
            )
        version = str(stored.pop("_commit"))
        stored.pop("_src_path")
        chosen = choose(opened, stored["kind"], {})
        around = surrounding_work_tree(destination) if use_git else None
        commit = None
        if use_git and around is None:
            commit = commit_all(staged, f"Generate {stored['service_name']} from {chosen.name} {version}")
    return NewService(
        folder=destination,
        kind=chosen.name,
        answers=stored,
        defaulted=() if prompt else _defaulted(chosen, answers, kind_is_open=kind_is_open),
        version=version,
        source=opened.origin,
        files=files,
        commit=commit,
        work_tree=around,
        notes=opened.notes,
    )


def _defaulted(kind: Kind, answers: Mapping[str, str], *, kind_is_open: bool) -> tuple[str, ...]:
    asked = ["kind"] if kind_is_open else []
    return (
        *asked,
        *(question.name for question in kind.questions if question.asked and question.name not in answers),
    )


def _suggestions(destination: Path) -> dict[str, str]:
    """Suggest the folder's name as the service's, where it can be one."""
    name = re.sub(r"[^a-z0-9]+", "-", destination.name.lower()).strip("-")
    return {"service_name": name} if re.fullmatch(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", name) else {}
