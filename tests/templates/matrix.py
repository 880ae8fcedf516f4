"""The answers whose renders are compared and checked, and the kinds that they are given to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from paypath.template_ci import read_declared

root = Path(__file__).parents[2]

# Kinds are folders, so that one that somebody adds is in every test.
kinds = sorted(path.parent.name for path in root.glob("templates/*/cookiecutter.json"))

# The list of `make templates`, which runs all checks of all of them; what is for one kind only, it has alone.
matrix: dict[str, Mapping[str, str]] = {
    combination.name: combination.answers
    for combination in read_declared(root).combinations
    if not combination.kinds
}
