"""The answers whose renders are compared and checked, and the kinds that they are given to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

root = Path(__file__).parents[2]

# Kinds are folders, so that one that somebody adds is in every test.
kinds = sorted(path.parent.name for path in root.glob("templates/*/cookiecutter.json"))

matrix: dict[str, Mapping[str, str]] = {
    "defaults": {},
    "dashes": {"service_name": "card-till"},
    "shortest": {"service_name": "a1b", "title": "A"},
    "longest": {
        "service_name": "a-service-for-payments-with-a-long-names",
        "title": "A service for payments whose title is rather long.",
    },
    "own package and title": {"service_name": "till", "package": "zz_till", "title": "Händler & Co. (EU)"},
    "from a URL": {"platform_source": "https://git.example.org/acme/paypath.git"},
    "from a URL without .git": {"platform_source": "ssh://git@git.example.org/acme/paypath"},
}
