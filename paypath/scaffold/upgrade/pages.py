"""A plan as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from paypath.scaffold.upgrade.classes import FileChange, FileClass
from paypath.scaffold.upgrade.documents import conflict_hunks
from paypath.scaffold.upgrade.plans import Plan

_style = """\
:root { color-scheme: light dark; --line: #8884; --dim: #8889; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { border: 1px solid var(--line); border-radius: 4px; margin: 0; overflow: auto; padding: .6rem; }
.sides { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr));
  margin: .6rem 0; }
.label { border-radius: 4px; padding: 0 .4rem; white-space: nowrap; background: #8882; }
.open { background: #d333; } .merged { background: #da33; } .template { background: #38c3; }
small { color: var(--dim); }"""
_quiet = {FileClass.UNCHANGED, FileClass.TEAM_ONLY}
_mild = {FileClass.MERGED, FileClass.RENAME_FOLLOWED, FileClass.MOVED_BY_TEAM, FileClass.ANSWER_CHANGED}


def plan_page(plan: Plan) -> str:
    """Return *plan* as an HTML page; everything from the service and its template is escaped."""
    title = f"{plan.service.name}: {plan.old} → {plan.new}"
    return page(title, "\n".join(filter(None, _sections(plan))))


def page(title: str, body: str) -> str:
    """Return a page of *title*, a text, and *body*, which is HTML."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style}\n</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _sections(plan: Plan) -> Iterable[str]:
    yield f"<p>{escape(_summary(plan))}</p>"
    if plan.carried_by is not None:
        yield f"<p><small>{escape(carried_note(plan.carried_by))}</small></p>"
    if plan.open:
        yield "<h2>To decide</h2>"
        yield from (_conflict(plan, change) for change in plan.open)
    if plan.changelog:
        yield f"<h2>What changed in the template</h2>\n<pre>{escape(plan.changelog)}</pre>"
    if plan.answers:
        rows = "\n".join(
            f"<tr><td><code>{escape(answer.name)}</code></td><td>{escape(str(answer.old))}</td>"
            f"<td>{escape(str(answer.new))}</td><td>{escape(answer.why)}</td></tr>"
            for answer in plan.answers
        )
        head = "<tr><th>answer</th><th>before</th><th>after</th><th>why</th></tr>"
        yield f"<h2>Answers</h2>\n<table>\n{head}\n{rows}\n</table>"
    if plan.codemods:
        rows = "\n".join(
            f"<tr><td><code>{escape(migration.id)}</code></td><td>{escape(migration.why)}</td>"
            f"<td>{escape(', '.join(plan.codemods[migration.id]))}</td></tr>"
            for migration in plan.migrations
            if migration.id in plan.codemods
        )
        head = "<tr><th>id</th><th>why</th><th>files to look at</th></tr>"
        yield f"<h2>Codemods</h2>\n<table>\n{head}\n{rows}\n</table>"
    rows = "\n".join(_row(change) for change in plan.files if change.file_class not in _quiet)
    if rows:
        yield f"<h2>Files</h2>\n<table>\n<tr><th>class</th><th>file</th><th></th></tr>\n{rows}\n</table>"


def carried_note(version: str) -> str:
    """Return what to say of a template that was read from what the tool of *version* carries."""
    return f"read from what paypath {version} carries; --online looks for newer releases"


def _summary(plan: Plan) -> str:
    if plan.new == plan.old:
        return plan.note or "Nothing is newer."
    counts = ", ".join(f"{len(plan.of(each))} {each.value}" for each in FileClass if plan.of(each))
    state = f"{len(plan.open)} to decide" if plan.open else "clean"
    return f"{state}; {counts}"


def _row(change: FileChange) -> str:
    kind = "open" if change.open else "merged" if change.file_class in _mild else "template"
    return (
        f'<tr><td><span class="label {kind}">{change.file_class.value}</span></td>'
        f"<td><code>{escape(change.path)}</code></td><td><small>{escape(change.detail)}</small></td></tr>"
    )


def _conflict(plan: Plan, change: FileChange) -> str:
    sides = "\n".join(
        f"<div><small>{side}</small><pre>{escape(text)}</pre></div>"
        for side, text in conflict_hunks(plan, change)
    )
    heading = f"<p><code>{escape(change.path)}</code> <small>{escape(change.detail)}</small></p>"
    return f'{heading}\n<div class="sides">{sides}</div>'
