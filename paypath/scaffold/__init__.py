"""New services from templates: `new` generates one, `kinds` tells which there are.

Copier renders, so `copier copy` on the same source gives the same bytes. Added here: one clear message for
bad input before anything is written, a folder that appears whole or not at all, and a first commit.
"""

from paypath.scaffold.errors import BadInput, ScaffoldError
from paypath.scaffold.generate import NewService, new
from paypath.scaffold.questions import Kind, Question, kinds
from paypath.scaffold.releases import Release, releases
from paypath.scaffold.render import answers_file

__all__ = [
    "BadInput",
    "Kind",
    "NewService",
    "Question",
    "Release",
    "ScaffoldError",
    "answers_file",
    "kinds",
    "new",
    "releases",
]
