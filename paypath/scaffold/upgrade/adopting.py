"""Bring a service without an answers file under management: find what it was nearest made of.

Three kinds of service come: made by cookiecutter (which knows the template's names but stores nothing), by
cruft (whose `.cruft.json` names version and context), and by hand. Each candidate, a version with a set of
answers, is rendered and measured by the lines that one would change.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.render import answers_file
from paypath.scaffold.sources import address_of, is_url
from paypath.scaffold.upgrade.answers import read_answers
from paypath.scaffold.upgrade.commits import Chain
from paypath.scaffold.upgrade.distance import Distance, distance
from paypath.scaffold.upgrade.errors import NoService, UpgradeError
from paypath.scaffold.upgrade.merges import Entry, Objects
from paypath.scaffold.upgrade.opening import Wanted
from paypath.scaffold.upgrade.renders import Recipe, Render
from paypath.scaffold.upgrade.services import Service
from paypath.scaffold.upgrade.session import UpgradeRun
from paypath.scaffold.upgrade.versions import TemplateSource, TemplateVersion

cruft_file = ".cruft.json"
branch = "paypath/adopt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version and answers that a service may have been made with.

    Attributes:
        version: the template version.
        answers: every answer.
        distance: how far the service is from that render.
        render: the render, whose answers file the service would get.
    """

    version: str
    answers: Mapping[str, Any]
    distance: Distance
    render: Render


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was found out about a service.

    Attributes:
        service: the service.
        source: where its template is, as its answers file will say.
        best: the nearest candidate.
        others: the nearest of each other version, nearest first.
        answers_text: the answers file that it would get.
        made_by: ``cruft``, ``answers`` where a file was there that said too little, or ``unknown``.
        objects: where the renders and the service are.
        carried_by: the version of the tool that carried the template, where that was read and not *source*.
    """

    service: Service
    source: str
    best: Candidate
    others: tuple[Candidate, ...]
    answers_text: str
    made_by: str
    objects: Objects
    carried_by: str | None = None


def find_adoption(
    run: UpgradeRun,
    service: Service,
    source: str,
    *,
    given: Mapping[str, str] | None = None,
    online: bool | None = None,
    said: Callable[[str], None] = lambda _: None,
) -> Adoption:
    """Return the version of *source* and the answers that *service* is nearest to.

    Args:
        run: the run.
        service: a committed service, with no answers file or one that says too little.
        source: where the template is: a git URL, or a folder.
        given: answers that are known.
        online: as in `Choices`.
        said: gets a line of progress now and then.

    Raises:
        NoService: it knows its template already.
        UpgradeError: no version could be rendered with any answers.
    """
    _require_stranger(service)
    objects = Objects(service.repository, Path(mkdtemp(prefix="objects-", dir=run.room)), run.renders.objects)
    files = objects.files(service.tree)
    clues = _Clues(service, objects, files, source)
    # Who says offline has the nearest of what is carried; anybody else the version that cruft's file names.
    named = [clues.version] if clues.version and online is not False else []
    opened = run.templates.open(source, wanted=Wanted(named, online))
    found: list[Candidate] = []
    problems: list[str] = []
    for version in _versions(opened, clues.version):
        said(f"comparing with {version.name}")
        for answers in clues.answer_sets(version, given or {}):
            try:
                found.append(_candidate(run, version, source, answers, objects, service.tree))
            except ScaffoldError as error:
                problems.append(f"{version.name}: {error}")
    if not found:
        raise UpgradeError(
            f"{service.name}: no version of {source} could be rendered for it; give answers with --data "
            f"({problems[0] if problems else 'the template has no versions'})"
        )
    best = min(found, key=lambda each: each.distance.lines)
    by_version: dict[str, Candidate] = {}
    for each in sorted(found, key=lambda each: each.distance.lines):
        by_version.setdefault(each.version, each)
    text = objects.content(objects.files(best.render.tree)[answers_file]).decode()
    return Adoption(
        service=service,
        source=source,
        best=best,
        others=tuple(each for each in by_version.values() if each.version != best.version),
        answers_text=text,
        made_by=clues.made_by,
        objects=objects,
        carried_by=opened.carried_by,
    )


def adopt(adoption: Adoption) -> str:
    """Commit the answers file, and take cruft's away, on the branch `paypath/adopt`; return the commit.

    Raises:
        UpgradeError: there is such a branch already.
    """
    objects, service = adoption.objects, adoption.service
    chain = Chain(service, objects)
    blob = objects.store(adoption.answers_text.encode())
    changes: dict[str, Entry | None] = {answers_file: Entry("100644", blob)}
    if cruft_file in objects.files(service.tree):
        changes[cruft_file] = None
    kind = adoption.best.answers.get("kind", "template")
    chain.add(
        "adopt",
        objects.with_files(service.tree, changes),
        f"Bring the service under management, as {kind} {adoption.best.version}\n\n"
        f"{adoption.best.distance.share:.0%} of that render's lines are in it.\n",
    )
    chain.publish(branch)
    return chain.tip


def _require_stranger(service: Service) -> None:
    if service.text is None:
        return
    try:
        answers = service.answers()
    except NoService:
        return
    if answers.version != "HEAD" and answers.given:
        raise NoService(
            f"{service.name}: knows its template already, {answers.version}; see `paypath upgrade --plan`, "
            "or remove "
            f"{answers_file} to have it found anew"
        )


def _versions(source: TemplateSource, named: str | None) -> Iterator[TemplateVersion]:
    """Give the version that is *named*, then every release, newest first; without releases HEAD."""
    names = [*reversed(source.releases)] or ["HEAD"]
    if named is not None:
        names = [named, *(name for name in names if name != named)]
    seen = set()
    for name in names:
        try:
            version = source.at(name)
        except ScaffoldError:
            continue
        if version.digest not in seen:
            seen.add(version.digest)
            yield version


def _candidate(
    run: UpgradeRun,
    version: TemplateVersion,
    source: str,
    answers: Mapping[str, Any],
    objects: Objects,
    tree: str,
) -> Candidate:
    recipe = Recipe(answers=answers, label=version.name, source=source, strict=True)
    render = run.renders.render(version, recipe)
    return Candidate(
        version=version.name,
        answers=render.answers,
        distance=distance(objects, tree, render.tree),
        render=render,
    )


class _Clues:
    """What a service's own files say about its answers."""

    def __init__(self, service: Service, objects: Objects, files: Mapping[str, Entry], source: str) -> None:
        self._source = source
        self._service = service
        self._files = files
        self._cruft = _json(objects.content(files.get(cruft_file)))
        self._pyproject = _toml(objects.content(files.get("pyproject.toml")))
        self._readme = objects.content(files.get("README.md")).decode(errors="replace")
        self._stored = _stored(service)
        self.version: str | None = self._cruft.get("checkout") or self._cruft.get("commit")
        self.made_by = "cruft" if self._cruft else "answers" if self._stored else "unknown"

    def answer_sets(self, version: TemplateVersion, given: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Give the sets of answers that are worth a render, for each kind of the template."""
        context = self._cruft.get("context", {}).get("cookiecutter", {})
        known = {name: value for name, value in context.items() if not name.startswith("_")}
        known |= self._stored
        guessed = {**self._guesses(), **known, **given}
        guessed = {name: value for name, value in guessed.items() if value not in (None, "")}
        kinds = [guessed["kind"]] if "kind" in guessed else self._kinds(version)
        sure = {name for name in ("title",) if name in known or name in given}
        plain = {name: value for name, value in guessed.items() if name != "title" or name in sure}
        for kind in kinds or [None]:
            # A heading that the team changed is no answer, so the template's own default competes with it.
            for answers in (guessed, plain) if guessed != plain else (guessed,):
                yield {**answers, "kind": kind} if kind else answers

    def _guesses(self) -> dict[str, Any]:
        name = str(self._pyproject.get("project", {}).get("name") or self._service.name)
        packages = sorted(
            {path.split("/")[1] for path in self._files if re.fullmatch(r"src/\w+/__init__\.py", path)}
        )
        package = next(
            (each for each in packages if each == name.replace("-", "_")), packages[0] if packages else None
        )
        heading = re.search(r"^# (.+)$", self._readme, re.MULTILINE)
        return {
            "service_name": name,
            "package": package,
            "title": heading[1].strip() if heading else None,
            "platform_source": self._platform(),
        }

    def _platform(self) -> str:
        """Return where the service finds the platform: as it says itself, or else where the template is."""
        said = self._pyproject.get("tool", {}).get("uv", {}).get("sources", {}).get("paypath", {})
        if isinstance(said, dict) and (place := said.get("git") or said.get("path")):
            return str(place)
        if is_url(self._source):
            return address_of(self._source)
        return os.path.relpath(os.path.realpath(self._source), os.path.realpath(self._service.folder))

    def _kinds(self, version: TemplateVersion) -> Sequence[str]:
        """Return the kinds of *version*; the folder that cruft names first, and alone."""
        directory = str(self._cruft.get("directory") or "")
        names = sorted(
            path.parent.name for path in Path(version.folder).glob("templates/*/cookiecutter.json")
        )
        named = [name for name in names if directory.rstrip("/").endswith(f"/{name}")]
        return named or names


def _stored(service: Service) -> dict[str, Any]:
    if service.text is None:
        return {}
    try:
        return dict(read_answers(service.text, answers_file).given)
    except NoService:
        text = f"_commit: unknown\n_src_path: unknown\n{service.text}"
        try:
            return dict(read_answers(text, answers_file).given)
        except NoService:
            return {}


def _json(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except ValueError:
        return {}
