"""The reference pages that are made from the code, one module a page.

Each module has `page()`, which returns the page, and `gaps()`, which returns what the code leaves unsaid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from docs.generators import cli, library, metrics, problems, scaffold, settings, spans, test_kit

__all__ = ["gaps", "pages"]

_modules = {
    "settings.md": settings,
    "cli.md": cli,
    "problems.md": problems,
    "spans.md": spans,
    "metrics.md": metrics,
    "test-kit.md": test_kit,
    "library.md": library,
    "scaffold.md": scaffold,
}

pages: Mapping[str, Callable[[], str]] = {name: module.page for name, module in _modules.items()}
"""What makes each page, by the name of its file in ``docs/reference``."""

gaps: Mapping[str, Callable[[], list[str]]] = {name: module.gaps for name, module in _modules.items()}
"""What lists, for each page, what has no description in the code: subject, fact, next step."""
