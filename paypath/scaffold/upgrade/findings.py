"""What `doctor` finds: a trap, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # an upgrade fails, or goes wrong
    WARNING = "warning"  # it will, for somebody or some day
    NOTE = "note"  # good to know


@dataclass(frozen=True, slots=True)
class Finding:
    """One trap.

    Attributes:
        id: which, in a word or two.
        severity: how bad.
        what: subject and fact.
        mend: what to do.
        paths: the files concerned, if it is about files.
    """

    id: str
    severity: Severity
    what: str
    mend: str
    paths: tuple[str, ...] = ()
