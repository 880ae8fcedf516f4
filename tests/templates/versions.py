"""The version that templates write into services, read and raised; tests know no number of a release."""

from __future__ import annotations

import json
from pathlib import Path

from tests.templates.matrix import kinds


def written_version(checkout: Path) -> str:
    """Return the version that the templates of *checkout* write, such as ``v0.1.0``."""
    written = json.loads((checkout / "templates" / kinds[0] / "cookiecutter.json").read_text())
    return str(written["_template_version"])


def raise_version(checkout: Path) -> str:
    """Write the next version wherever the templates write theirs, and return it."""
    now = written_version(checkout)
    major, minor, _ = now.removeprefix("v").split(".")
    higher = f"v{major}.{int(minor) + 1}.0"
    for file in (checkout / "copier.yml", *checkout.glob("templates/*/cookiecutter.json")):
        file.write_text(file.read_text().replace(now, higher))
    return higher
