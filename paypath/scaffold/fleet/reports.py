"""The report of a run, as JSON and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from paypath.scaffold.fleet.journal import open_journal, read_details
from paypath.scaffold.fleet.outcomes import Outcome, State
from paypath.scaffold.fleet.targets import Target
from paypath.scaffold.upgrade.pages import carried_note, page

_labels = {State.UPGRADED: "template", State.CURRENT: "", State.WAITING: "merged"}


def report_document(folder: Path) -> dict[str, Any]:
    """Return the report of the run in *folder*: what was asked, counts, and every service.

    ``state`` is ``done``, ``stopped`` at a gate, or ``unfinished``.

    Raises:
        FleetError: there is no run, or its journal cannot be read.
    """
    journal = open_journal(folder)
    known = {outcome.number: outcome for outcome in read_details(journal)}
    services = [known.get(target.number) or _waiting(target) for target in journal.targets]
    return {
        "run": str(folder.resolve()),
        "state": journal.ended or "unfinished",
        "begun": journal.begun,
        "order": asdict(journal.order),
        "counts": counts(services),
        "services": [{**outcome.brief(), "document": outcome.document} for outcome in services],
    }


def counts(outcomes: list[Outcome]) -> dict[str, int]:
    """Return how many services there are in each state."""
    found = Counter(outcome.state.value for outcome in outcomes)
    return {state.value: found[state.value] for state in State if found[state.value]}


def report_page(document: dict[str, Any]) -> str:
    """Return a report as one HTML page that needs nothing else; whatever services say is escaped."""
    title = f"Fleet run of {document['begun']}: {document['state']}"
    return page(title, "\n".join(_sections(document)))


def _sections(document: dict[str, Any]) -> Iterator[str]:
    yield f"<p>{escape(', '.join(f'{number} {state}' for state, number in document['counts'].items()))}</p>"
    head = "<th>service</th><th>kind</th><th>from</th><th>to</th><th>state</th><th></th>"
    rows = "\n".join(_row(service) for service in document["services"])
    yield f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"
    for version in sorted({service.get("carried_by", "") for service in document["services"]} - {""}):
        yield f"<p><small>{escape(carried_note(version))}</small></p>"
    undecided = [service for service in document["services"] if service["conflicts"]]
    if undecided:
        yield "<h2>To decide</h2>"
    for service in undecided:
        yield f"<h3>{escape(service['name'])}</h3>"
        for file in service["document"].get("files", []):
            if file.get("open"):
                yield _conflict(file)
    for service in document["services"]:
        failed = [run for run in service["document"].get("tests", []) if not run["passed"]]
        if failed:
            yield f"<h2>Tests of {escape(service['name'])}, {escape(failed[-1]['when'])} the upgrade</h2>"
            yield f"<pre>{escape(failed[-1]['output'])}</pre>"


def _row(service: dict[str, Any]) -> str:
    label = _labels.get(State(service["state"]), "open")
    told = ", ".join(service["conflicts"]) or service["message"] or service["branch"]
    cells = (service["name"], service["kind"] or "", service["old"], service["new"])
    return (
        f'<tr title="{escape(service["place"])}">'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + f'<td><span class="label {label}">{escape(service["state"])}</span></td>'
        + f"<td><small>{escape(told)}</small></td></tr>"
    )


def _conflict(file: dict[str, Any]) -> str:
    sides = "\n".join(
        f"<div><small>{escape(side['side'])}</small><pre>{escape(side['text'])}</pre></div>"
        for side in file.get("conflict", [])
    )
    return f'<p><code>{escape(file["path"])}</code></p>\n<div class="sides">{sides}</div>'


def _waiting(target: Target) -> Outcome:
    return Outcome(number=target.number, place=target.place, name=target.name, state=State.WAITING)
