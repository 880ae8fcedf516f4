"""`spans.md`: every form of span that the platform makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from docs.generators.markdown import code, document, table
from platform_lib.telemetry._attributes import meanings, stability_of
from platform_lib.telemetry._span_forms import SpanForm, forms

_intro = """\
# Spans

Every form of span that the platform makes, with every attribute that it puts on it.
Names and attributes are those of the OpenTelemetry semantic conventions 1.44: *stable* or *development* says how settled they are, *platform* that they are ours.
A test compares this page with the spans that real calls leave behind.

On no span is the text of an exception, a body, a query string, a statement or its parameters.
A failed span has the status ERROR, without a description, and `error.type`.
A service may set attributes of its own on any of them, through OpenTelemetry's API."""  # noqa: E501  # one sentence a line


def page() -> str:
    """Return the page."""
    overview = (
        (
            f"[{form.title}](#{form.title.lower().replace(' ', '-')})",
            code(form.name),
            form.kind,
            form.stability,
        )
        for form in forms
    )
    blocks = [_intro, table(("span", "name", "kind", "stability"), overview)]
    for form in forms:
        blocks += [
            f"## {form.title}",
            f"{code(form.name)}, {form.kind}, {form.stability}; made by `{form.made_by}`.",
            *(["\n".join(form.notes)] if form.notes else []),
            table(("attribute", "when", "stability", "what it says"), _rows(form)),
        ]
    return document(*blocks)


def gaps() -> list[str]:
    """Return the attributes of spans without a meaning."""
    return unexplained(forms)


def unexplained(listed: Iterable[SpanForm]) -> list[str]:
    """Return a complaint for each attribute of a span that has no meaning."""
    return [
        f"{form.title}: the attribute {attribute} has no meaning; add one in telemetry/_attributes.py"
        for form in listed
        for attribute in sorted(form.attributes)
        if attribute not in meanings
    ]


def _rows(form: SpanForm) -> Iterator[tuple[str, str, str, str]]:
    for when, names in (
        ("always", form.required),
        ("where it applies", form.conditional),
        ("where it is known", form.recommended),
    ):
        for name in names:
            yield code(name), when, stability_of(name), meanings[name]
