"""`diagnose`: every trap on the way to the next upgrade that can be seen in a service beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from paypath.scaffold.errors import ScaffoldError
from paypath.scaffold.sources import is_url, without_credentials
from paypath.scaffold.upgrade.answering import Said, render_old
from paypath.scaffold.upgrade.answers import Answers
from paypath.scaffold.upgrade.errors import AnswersNeeded, NoService, TrustNeeded, UnknownVersion
from paypath.scaffold.upgrade.findings import Finding, Severity
from paypath.scaffold.upgrade.merges import Objects
from paypath.scaffold.upgrade.plans import Choices, PlanState, fixed_version
from paypath.scaffold.upgrade.renders import Render
from paypath.scaffold.upgrade.services import Service
from paypath.scaffold.upgrade.session import UpgradeRun
from paypath.scaffold.upgrade.sickfiles import ahead, files_of
from paypath.scaffold.upgrade.versions import TemplateSource, TemplateVersion, version_number


def diagnose(
    run: UpgradeRun, service: Service, source: str | None = None, *, online: bool | None = None
) -> list[Finding]:
    """Return what is wrong, or will be, with the upgrades of *service*; an empty list is good health.

    *source* is where the template is, if not where the answers say; *online* is as in `Choices`.
    """
    return list(_findings(run, service, Choices(source=source, online=online)))


def _findings(run: UpgradeRun, service: Service, choices: Choices) -> Iterator[Finding]:
    try:
        answers = service.answers()
    except NoService as error:
        yield _told("answers-file", Severity.ERROR, error)
        return
    yield from _about_source(answers)
    try:
        source = run.source_of(service, choices)
    except UnknownVersion as error:
        yield _told("source-unreachable", Severity.ERROR, error)
        return
    if source.carried_by is not None:
        yield Finding(
            "carried",
            Severity.NOTE,
            f"{source.origin}: not asked; this paypath carries the template up to {source.newest}",
            "say --online to look for newer releases",
        )
    yield from _about_tags(source)
    try:
        version = source.at(fixed_version(answers.version, source))
    except UnknownVersion as error:
        yield _told("version-unknown", Severity.ERROR, error)
        return
    objects = Objects(service.repository, Path(mkdtemp(prefix="objects-", dir=run.room)), run.renders.objects)
    render = None
    try:
        render = render_old(run.renders, version, answers, Said({}), version)
    except AnswersNeeded as error:
        for problem in error.problems:
            yield _told("answers", Severity.ERROR, problem)
    except TrustNeeded as error:
        yield _told("trust", Severity.WARNING, error)
    except ScaffoldError as error:
        yield _told("render", Severity.ERROR, error)
    if render is not None:
        yield from _about_answers(answers, render, version)
    yield from files_of(service, objects, render, version)
    yield from _about_next(run, service, choices)


def _told(name: str, severity: Severity, message: object) -> Finding:
    what, _, mend = str(message).rpartition("; ")
    return Finding(name, severity, what or str(message), mend if what else "")


def _about_source(answers: Answers) -> Iterator[Finding]:
    source = answers.source
    if without_credentials(source) != source:
        yield Finding(
            "source-credentials",
            Severity.ERROR,
            f"_src_path: {without_credentials(source)} is stored with a password or token",
            "take it out of the URL, revoke it, and leave it to git's credential helper",
        )
    if source.startswith(("file://", "git+file://")):
        plain = (
            "copier does not take it for a repository"
            if not source.endswith(".git")
            else "it is of one machine"
        )
        yield Finding(
            "source-file-url",
            Severity.ERROR
            if not source.endswith(".git") and not source.startswith("git+")
            else Severity.WARNING,
            f"_src_path: {source} is a file:// URL; {plain}",
            "write the template's git URL in its place, which every machine can read",
        )
    elif not is_url(source):
        how = "an absolute path, right on one machine only" if source.startswith("/") else "a relative path"
        yield Finding(
            "source-path",
            Severity.WARNING,
            f"_src_path: {source} is {how}; Renovate and clones elsewhere cannot follow it",
            "write the template's git URL in its place (in platform_source too), or keep both where they lie",
        )


def _about_tags(source: TemplateSource) -> Iterator[Finding]:
    refs = source.tags
    strange = sorted(tag for tag in refs if version_number(tag) is None and re.search(r"\d", tag))
    if strange:
        yield Finding(
            "tags",
            Severity.WARNING,
            f"{source.origin}: {', '.join(strange[:5])}{', …' if len(strange) > 5 else ''} "  # noqa: PLR2004  # a list
            "are no PEP 440 versions, so no upgrade sees them",
            "tag releases vX.Y.Z",
        )
    by_commit: dict[str, list[str]] = {}
    for tag in filter(refs.get, source.releases):
        by_commit.setdefault(refs[tag], []).append(tag)
    for tags in by_commit.values():
        if len(tags) > 1:
            yield Finding(
                "two-tags",
                Severity.WARNING,
                f"{source.origin}: {' and '.join(tags)} are one commit; copier compares one and writes the "
                "other",
                "give each release a commit of its own",
            )


def _about_answers(answers: Answers, render: Render, version: TemplateVersion) -> Iterator[Finding]:
    for name, answer in answers.given.items():
        if name not in render.questions:
            yield Finding(
                "answer-unknown",
                Severity.WARNING,
                f"{name}: {version.name} asks for no such thing, so this answer does nothing",
                "take the line out of the answers file, or see whether it is another question's",
            )
        elif render.types.get(name) in {"str", "path"} and isinstance(answer, bool | int | float):
            yield Finding(
                "answer-type",
                Severity.ERROR,
                f"{name}: YAML reads its answer as {answer!r} and not as text (no, on, 1_000 and 1e3 are "
                "such words)",
                f'put it in quotes, as in {name}: "{answer}"',
            )


def _about_next(run: UpgradeRun, service: Service, choices: Choices) -> Iterator[Finding]:
    """Tell what the next upgrade will meet, and what plain copier would lose in it."""
    try:
        plan = run.plan(service, choices)
    except AnswersNeeded as error:
        for problem in error.problems:
            yield _told("answers-next", Severity.WARNING, problem)
        return
    except TrustNeeded as error:
        yield _told("trust-next", Severity.WARNING, error)
        return
    except ScaffoldError as error:
        yield _told("next", Severity.WARNING, error)
        return
    if plan.state is not PlanState.CURRENT:
        yield from ahead(plan)
