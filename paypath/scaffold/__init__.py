"""New services from templates: `new` makes one, `kinds` tells which there are, `ownership` whose files.

Copier renders, so `copier copy` on the same source gives the same bytes. Added here: one clear message for
bad input before anything is written, a folder that appears whole or not at all, and a first commit.
"""

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
