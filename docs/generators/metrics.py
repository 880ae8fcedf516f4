"""`metrics.md`: every metric that the platform records."""

from __future__ import annotations

from collections.abc import Iterable

from docs.generators.markdown import code, document, table
from platform_lib.telemetry._attributes import meanings, stability_of
from platform_lib.telemetry._cardinality import LIMIT
from platform_lib.telemetry._instruments import SERVICE, Metric, declared

_intro = """\
# Metrics

Every metric that the platform records, as it is declared in the code: a service gets them all without a line of its own.
Units are UCUM; what is counted stands in braces.
Names, units and attributes are those of the OpenTelemetry semantic conventions 1.44 where these have the metric: *stable* or *development* says how settled they are, *platform* that the metric is ours.
An observable metric is read when metrics are collected, and what it tells of costs nothing in between.

No attribute but those listed is ever recorded.
Texts are redacted, and cut after 256 characters.
A metric has at most {limit} series: once they are used up, every further combination of attributes counts in the one with `otel.metric.overflow=true`.
A metric of a service's own gets the same guarantees from [`counter`, `histogram` and `gauge`](../howto/measure-your-own.md)."""  # noqa: E501  # one sentence a line

_attributes = """\
## Attributes

What the attributes above say."""

_groups = (
    ("HTTP server", ("http.server.", "platform.http.server.")),
    ("HTTP client", ("http.client.", "platform.http.client.")),
    ("Database", ("db.",)),
    ("Events", ("messaging.", "platform.outbox.")),
    ("Health and workers", ("platform.health.", "platform.worker.")),
    ("The process", ("process.", "cpython.", "platform.event_loop.")),
)


def page() -> str:
    """Return the page."""
    metrics = _metrics()
    used = sorted({attribute for metric in metrics for attribute in metric.attributes})
    blocks = [_intro.format(limit=LIMIT)]
    for title, prefixes in _groups:
        blocks.append(f"## {title}")
        blocks += [_block(metric) for metric in metrics if metric.name.startswith(prefixes)]
    blocks += [
        _attributes,
        table(
            ("attribute", "stability", "what it says"),
            ((code(name), stability_of(name), meanings[name]) for name in used),
        ),
    ]
    return document(*blocks)


def gaps() -> list[str]:
    """Return the metrics that no part of the page shows, and the attributes without a meaning."""
    return ungrouped(_metrics()) + meaningless(_metrics())


def ungrouped(metrics: Iterable[Metric]) -> list[str]:
    """Return a complaint for each metric that no part of the page shows."""
    shown = tuple(prefix for _, prefixes in _groups for prefix in prefixes)
    return [
        f"{metric.name}: the metric is in no part of the page; add its prefix in docs/generators/metrics.py"
        for metric in metrics
        if not metric.name.startswith(shown)
    ]


def meaningless(metrics: Iterable[Metric]) -> list[str]:
    """Return a complaint for each attribute of a metric that has no meaning."""
    return [
        f"{metric.name}: the attribute {attribute} has no meaning; add one in telemetry/_attributes.py"
        for metric in metrics
        for attribute in metric.attributes
        if attribute not in meanings
    ]


def _metrics() -> list[Metric]:
    return [metric for metric in declared().values() if metric.source != SERVICE]


def _block(metric: Metric) -> str:
    facts = [f"{metric.kind}, {code(metric.unit)}, {metric.stability}"]
    if metric.bounds:
        facts.append(f"buckets up to {', '.join(f'{bound:g}' for bound in metric.bounds)}")
    lines = [f"### `{metric.name}`", "", metric.description, "", f"{'; '.join(facts)}."]
    for level, names in (
        ("required", metric.required),
        ("where it applies", metric.conditional),
        ("where it is known", metric.recommended),
    ):
        if names:
            lines += ["", f"Attributes, {level}: {', '.join(map(code, names))}."]
    if not metric.attributes:
        lines += ["", "No attributes."]
    return "\n".join(lines)
