"""The text of a pull request, in Markdown, from what is known of an upgrade; no network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from paypath.scaffold.fleet.outcomes import Outcome, State

_quiet = {"unchanged", "team-only"}


def pull_request(outcome: Outcome) -> str:
    """Return the text for the branch of an upgrade: its title as the first line, then its body."""
    return "\n\n".join(_parts(outcome)) + "\n"


def _parts(outcome: Outcome) -> Iterator[str]:
    document = outcome.document
    yield f"# Upgrade the template from {outcome.old} to {outcome.new}"
    decided = [file["path"] for file in document.get("files", []) if file.get("open")]
    how = (
        f"Somebody decided about {', '.join(map(_code, decided))}; everything else was merged by itself."
        if decided
        else "Every line of the team's is kept; the merge was clean."
    )
    yield f"Branch: {_code(outcome.branch)}. {how}"
    if outcome.state is State.RED:
        yield "**Tests that passed before fail on this branch.** Mend it before you merge."
    tests = document.get("tests", [])
    if tests:
        yield "## Tests\n\n" + "\n".join(
            f"- {run['when']} the upgrade: {'passed' if run['passed'] else 'failed'} in {run['seconds']} s "
            f"({_code(run['command'])})"
            for run in tests
        )
    else:
        yield "## Tests\n\nNone were run."
    if document.get("changelog"):
        yield f"## What changed in the template\n\n{document['changelog'].strip()}"
    if document.get("codemods"):
        yield "## Codemods\n\n" + "\n".join(
            f"- {_code(codemod['id'])}: {codemod['why']}" for codemod in document["codemods"]
        )
    if document.get("answers"):
        yield "## Answers\n\n" + "\n".join(
            f"- {_code(answer['name'])}: {_code(str(answer['old']))} → {_code(str(answer['new']))} "
            f"({answer['why']})"
            for answer in document["answers"]
        )
    files = [file for file in document.get("files", []) if file["class"] not in _quiet]
    if files:
        yield "## Files\n\n" + "\n".join(
            f"- {file['class']}: {_code(file['path'])}"
            + (f" ({file['detail']})" if file.get("detail") else "")
            for file in files
        )
    if document.get("notes"):
        yield "## Note\n\n" + "\n".join(f"- {note}" for note in document["notes"])
    yield "Undo before and after the merge: `paypath upgrade --undo`."


def _code(text: str) -> str:
    """Return *text* as code, with a fence longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"
