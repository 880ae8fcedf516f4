"""New services from templates: `new` makes one, `kinds` tells which there are, `ownership` whose files.

Copier renders, so `copier copy` on the same source gives the same bytes. Added here: one clear message for
bad input before anything is written, a folder that appears whole or not at all, and a first commit.

What is done to services afterwards has packages of its own, loaded when they are first named:
`paypath.scaffold.upgrade`, `paypath.scaffold.fleet` and `paypath.scaffold.pieces`.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from paypath.scaffold.errors import BadInput, ScaffoldError
from paypath.scaffold.generate import NewService, new
from paypath.scaffold.ownership import Owner, ownership, ownership_file
from paypath.scaffold.questions import Kind, Question, kinds
from paypath.scaffold.releases import Release, releases
from paypath.scaffold.render import answers_file
from paypath.scaffold.sources import installed_source

__all__ = [
    "BadInput",
    "Kind",
    "NewService",
    "Owner",
    "Question",
    "Release",
    "ScaffoldError",
    "answers_file",
    "installed_source",
    "kinds",
    "new",
    "ownership",
    "ownership_file",
    "releases",
]

_parts = ("fleet", "pieces", "upgrade")


def __getattr__(name: str) -> ModuleType:
    """Load a package when it is first named: who only generates services does not wait for the others."""
    if name in _parts:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
