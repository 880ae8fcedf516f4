"""The report as one HTML page that needs nothing else: what failed is on it, the rest in files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from paypath.scaffold.upgrade.pages import page
from paypath.template_ci.cases import RenderCase, UpgradeCase
from paypath.template_ci.results import CaseResult, Report, StepResult

_labels = {"red": "open", "conflict": "merged", "green": "template"}
_shown = 20_000


def report_page(report: Report) -> str:
    """Return *report* as an HTML page; whatever templates and tools say is escaped."""
    about = report.about
    title = f"Templates at {about['target']['version']}: {'green' if report.passed else 'red'}"
    return page(title, "\n".join(_sections(report)))


def _sections(report: Report) -> Iterator[str]:
    counts = report.counts()
    yield (
        f"<p>{counts['green']} green, {counts['conflict']} with conflicts as declared, {counts['red']} red, "
        f"of {report.all_cases} cases; {counts['trees']} distinct trees were checked.</p>"
    )
    if len(report.cases) < report.all_cases:
        yield f"<p><strong>A part only: {len(report.cases)} cases were selected.</strong></p>"
    yield _about(report)
    red = [(case, step) for case in report.cases for step in case.red]
    if red:
        yield "<h2>Red</h2>"
        yield from (_failed(case, step) for case, step in red)
    renders = [case for case in report.cases if isinstance(case.case, RenderCase)]
    if renders:
        yield "<h2>Renders</h2>"
        yield _table(renders, ("kind", "answers"), ("engines", *report.steps))
    upgrades = [case for case in report.cases if isinstance(case.case, UpgradeCase)]
    for release in dict.fromkeys(
        case.case.release for case in upgrades if isinstance(case.case, UpgradeCase)
    ):
        of_release = [
            case for case in upgrades if isinstance(case.case, UpgradeCase) and case.case.release == release
        ]
        yield f"<h2>Upgrades from {escape(release)}</h2>"
        yield _table(of_release, ("kind", "the team's edit"), ("upgrade", *report.steps))
    yield "<h2>Time</h2>"
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{times['runs']}</td><td>{times['seconds']} s</td>"
        f"<td>{times['longest']} s</td></tr>"
        for name, times in report.times().items()
    )
    head = "<th>step</th><th>runs</th><th>in all</th><th>longest</th>"
    yield f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"


def _about(report: Report) -> str:
    target = report.about["target"]
    uncommitted = target["uncommitted"]
    state = (
        ""
        if not uncommitted
        else (
            f", with {uncommitted} uncommitted"
            if target["worktree"]
            else f"; {uncommitted} uncommitted left out"
        )
    )
    facts = {
        "commit": f"{target['commit']}{state}",
        "library": target["library"],
        "begun": report.about["begun"],
        "took": "{seconds} s with {jobs} processes on {cores} cores".format_map(report.about),
        "releases": ", ".join(target["releases"]) or "none",
        "versions": ", ".join(f"{name} {version}" for name, version in report.about["versions"].items()),
        "engines": ", ".join(report.engines) or "none",
    }
    rows = "\n".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(fact))}</td></tr>" for name, fact in facts.items()
    )
    return f"<table>\n{rows}\n</table>"


def _table(results: Sequence[CaseResult], names: tuple[str, str], steps: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in (*names, *steps, ""))
    rows = "\n".join(_row(result, steps) for result in results)
    return f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"


def _row(result: CaseResult, steps: Sequence[str]) -> str:
    case = result.case
    what: Any = case.combination if isinstance(case, RenderCase) else case.edit.name
    by_name = {step.step: step for step in result.steps}
    cells = "".join(f"<td>{_cell(result, by_name.get(name))}</td>" for name in steps)
    answers = ", ".join(f"{name}: {answer}" for name, answer in case.answers.items())
    return (
        f'<tr><td>{escape(case.kind)}</td><td title="{escape(answers)}">{escape(what)}</td>{cells}'
        f"<td><small>{escape(result.note)}</small></td></tr>"
    )


def _cell(result: CaseResult, step: StepResult | None) -> str:
    if step is None:
        return "<small>not run</small>"
    if not step.passed:
        return f'<a class="label {_labels["red"]}" href="#{_anchor(result, step)}">red</a>'
    state = "conflict" if result.conflicts else "green"
    shown = "conflict" if result.conflicts else "as another" if step.same_as else f"{step.seconds:.1f} s"
    title = f' title="the same tree as {escape(step.same_as)}"' if step.same_as else ""
    return f'<a class="label {_labels[state]}" href="{escape(step.log)}"{title}>{shown}</a>'


def _failed(result: CaseResult, step: StepResult) -> str:
    answers = ", ".join(f"{name}: {answer}" for name, answer in result.case.answers.items())
    said = step.said if len(step.said) <= _shown else f"… (all of it in {step.log})\n{step.said[-_shown:]}"
    return (
        f'<h3 id="{_anchor(result, step)}">{escape(result.case.name)}: {escape(step.step)}</h3>\n'
        f"<p><small>{escape(answers)}</small> "
        f'<a href="{escape(step.log)}">{escape(step.log)}</a></p>\n<pre>{escape(said)}</pre>'
    )


def _anchor(result: CaseResult, step: StepResult) -> str:
    return escape(f"{result.case.name}-{step.step}".replace(" ", "-"))
