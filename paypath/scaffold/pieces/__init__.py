"""Pieces that a team adds to a service again and again: code, test and wiring, by one command.

A piece is data (`data/<piece>/`): which kinds of service it fits, templates of its files, and edits of the
service's own. What was added is remembered in the service, so that taking it out touches nothing else.
"""

from paypath.scaffold.pieces._catalogue import Piece, piece_names, pieces
from paypath.scaffold.pieces._changes import Change
from paypath.scaffold.pieces._edits import DoesNotFit, EditedSince
from paypath.scaffold.pieces._plan import added, plan_add, plan_remove

__all__ = [
    "Change",
    "DoesNotFit",
    "EditedSince",
    "Piece",
    "added",
    "piece_names",
    "pieces",
    "plan_add",
    "plan_remove",
]
