"""Traps that lie in the files of a service."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator

from paypath.scaffold.git import run_git
from paypath.scaffold.upgrade.classes import FileClass
from paypath.scaffold.upgrade.distance import distance
from paypath.scaffold.upgrade.findings import Finding, Severity
from paypath.scaffold.upgrade.merges import Entry, Objects
from paypath.scaffold.upgrade.ownership import read_ownership
from paypath.scaffold.upgrade.plans import Plan
from paypath.scaffold.upgrade.renders import Render
from paypath.scaffold.upgrade.services import Service
from paypath.scaffold.upgrade.versions import TemplateVersion

_lost_by_copier = {
    FileClass.RENAME_FOLLOWED: "loses your edits of",
    FileClass.DELETE_AGAINST_EDIT: "deletes, with your edits,",
    FileClass.IN_THE_WAY: "overwrites your uncommitted",
    FileClass.MOVED_BY_TEAM: "brings no change to",
}


def files_of(
    service: Service, objects: Objects, render: Render | None, version: TemplateVersion
) -> Iterator[Finding]:
    """Return what is wrong with the files of *service*, whose render at its own *version* is *render*."""
    files = objects.files(service.tree)
    yield from _leftovers(service, objects, files)
    yield from _versions(objects, files, version)
    if render is None:
        return
    rendered = objects.files(render.tree)
    yield from _line_ends(objects, files, rendered)
    yield from _ignored(service, rendered)
    drift = distance(objects, service.tree, render.tree)
    ownership = read_ownership(objects, rendered)
    edited = tuple(path for path in (*drift.changed, *drift.missing) if path in ownership.platform)
    if edited:
        yield Finding(
            "platform-owned",
            Severity.WARNING,
            f"{len(edited)} {'file' if len(edited) == 1 else 'files'} of the platform's were edited here",
            "move the change into the template, or into a file of your own; upgrades will collide with it",
            edited,
        )
    if drift.changed or drift.missing:
        yield Finding(
            "drift",
            Severity.NOTE,
            f"{len(drift.changed)} files differ from the template {version.name}, {len(drift.missing)} are "
            "gone; "
            f"{drift.share:.0%} of its lines are as rendered",
            "nothing to mend: a team's own work is drift too",
            (*drift.changed, *drift.missing),
        )


def ahead(plan: Plan) -> Iterator[Finding]:
    """Return what the next upgrade meets, and what plain `copier update` would do to it."""
    if plan.open:
        yield Finding(
            "conflicts-ahead",
            Severity.NOTE,
            f"the upgrade to {plan.new} has {len(plan.open)} to decide",
            "see them with `paypath upgrade --plan`",
            tuple(change.path for change in plan.open),
        )
    for file_class, loses in _lost_by_copier.items():
        paths = tuple(change.path for change in plan.of(file_class))
        if paths:
            yield Finding(
                "copier-loses",
                Severity.WARNING,
                f"plain `copier update` (and Renovate) to {plan.new} {loses} {', '.join(paths)}, without a "
                "word",
                "take this version with `paypath upgrade`",
                paths,
            )


def _leftovers(service: Service, objects: Objects, files: dict[str, Entry]) -> Iterator[Finding]:
    said = objects.run(
        *("grep", "-l", "-z", "-I", "-E", "--all-match", "-e", "^<<<<<<< ", "-e", "^>>>>>>> ", service.tree),
        accept=(0, 1),
    )
    marked = tuple(path.decode(errors="replace").partition(":")[2] for path in said.split(b"\0") if path)
    if marked:
        yield Finding(
            "conflict-markers",
            Severity.ERROR,
            f"{len(marked)} committed {'file holds' if len(marked) == 1 else 'files hold'} conflict markers",
            "resolve them and commit, before an upgrade takes them for your work",
            marked,
        )
    rejected = tuple(path for path in files if path.endswith((".rej", ".orig")))
    if service.top is not None:
        rejected += tuple(
            str(path.relative_to(service.folder))
            for path in service.folder.rglob("*.rej")
            if not {".git", ".venv", "node_modules"} & set(path.parts)
            and str(path.relative_to(service.folder)) not in rejected
        )
    if rejected:
        yield Finding(
            "rejected",
            Severity.ERROR,
            "an earlier update left hunks that it could not apply",
            "apply what is in them by hand, then delete them",
            rejected,
        )
    if ".cruft.json" in files:
        yield Finding(
            "cruft",
            Severity.NOTE,
            ".cruft.json: the service is known to cruft too, which would update it from another base",
            "delete it: the answers file says all that it says",
            (".cruft.json",),
        )


def _versions(objects: Objects, files: dict[str, Entry], version: TemplateVersion) -> Iterator[Finding]:
    template = re.match(r"v?(\d+)\.(\d+)", version.name)
    if "pyproject.toml" not in files or template is None:
        return
    try:
        document = tomllib.loads(objects.content(files["pyproject.toml"]).decode())
    except ValueError as error:
        yield Finding("pyproject", Severity.ERROR, f"pyproject.toml: cannot be read ({error})", "mend it")
        return
    wanted = document.get("project", {}).get("dependencies", [])
    for requirement in wanted if isinstance(wanted, list) else []:
        library = re.match(r"paypath(?:\[[^\]]*\])?\s*(?:~=|==|>=)\s*(\d+)\.(\d+)", str(requirement))
        if library and library.groups() != template.groups():
            yield Finding(
                "version-skew",
                Severity.ERROR,
                f"pyproject.toml: wants the library {'.'.join(library.groups())}, the template is "
                f"{version.name}",
                "they are released together: upgrade the service, or set the library to the template's "
                "version",
                ("pyproject.toml",),
            )


def _line_ends(objects: Objects, files: dict[str, Entry], rendered: dict[str, Entry]) -> Iterator[Finding]:
    turned = tuple(
        path
        for path, entry in rendered.items()
        if path in files
        and files[path].blob != entry.blob
        and b"\r\n" in (content := objects.content(files[path]))
        and b"\r\n" not in objects.content(entry)
        and content
    )
    if turned:
        yield Finding(
            "line-ends",
            Severity.WARNING,
            f"{len(turned)} {'file is' if len(turned) == 1 else 'files are'} committed with CRLF line ends, "
            "so every line counts as changed",
            "write `* text=auto eol=lf` into .gitattributes, run `git add --renormalize .`, and commit",
            turned,
        )


def _ignored(service: Service, rendered: dict[str, Entry]) -> Iterator[Finding]:
    if service.top is None:
        return
    asked = "".join(f"{path}\0" for path in rendered).encode(errors="surrogateescape")
    said = run_git(
        *("check-ignore", "-z", "--no-index", "--stdin"), folder=service.folder, given=asked, accept=(0, 1)
    ).output
    paths = tuple(path.decode(errors="replace") for path in said.split(b"\0") if path)
    if paths:
        there = [path for path in paths if os.path.lexists(service.folder / path)]
        yield Finding(
            "ignored",
            Severity.WARNING,
            f"the template renders {', '.join(paths)}, which this .gitignore ignores; plain `copier update` "
            f"overwrites {'it' if there else 'whatever will lie there'}",
            "take the pattern out of .gitignore, or keep what is yours under another name",
            paths,
        )
