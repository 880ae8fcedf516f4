"""What became of a service: data that goes between processes, into the journal and into reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a service stands, and after a run what became of it."""

    CURRENT = "current"  # nothing newer
    READY = "ready"  # an upgrade is there, and it is clean
    UPGRADED = "upgraded"  # its branch is there
    CONFLICTS = "conflicts"  # somebody must decide; nothing was made
    RED = "tests-red"  # its branch is there; tests that passed before fail on it
    FAILED = "failed"  # it could not be read or upgraded; `message` says why
    WAITING = "waiting"  # its turn has not come


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of one service.

    Attributes:
        number: its number in the list.
        place: its folder, or its git URL.
        name: what it is called.
        state: where it stands.
        kind: its kind, where its template has kinds.
        old: the template version that it has.
        new: the one that it could have, or has on its branch.
        branch: the branch of its upgrade.
        pushed: whether that branch was pushed.
        conflicts: the files about which somebody must decide.
        drift: how many of the platform's files its team edited.
        skew: what is wrong between its library and its template; empty if nothing is.
        findings: how many things `doctor` would have mended.
        message: why it failed, or what else to know.
        carried_by: the version of the tool that carried the template, where that was read instead of its
            source; else empty.
        seconds: how long it took.
        document: the plan or upgrade as `plan_document` and `upgraded_document` tell it; may be empty.
    """

    number: int
    place: str
    name: str
    state: State
    kind: str | None = None
    old: str = ""
    new: str = ""
    branch: str = ""
    pushed: bool = False
    conflicts: tuple[str, ...] = ()
    drift: int = 0
    skew: str = ""
    findings: int = 0
    message: str = ""
    carried_by: str = ""
    seconds: float = 0.0
    document: Mapping[str, Any] = field(default_factory=dict)

    def brief(self) -> dict[str, Any]:
        """Return it as JSON, without its document."""
        facts = asdict(self)
        del facts["document"]
        return {**facts, "state": self.state.value, "conflicts": list(self.conflicts)}

    @classmethod
    def read(cls, facts: Mapping[str, Any], document: Mapping[str, Any] | None = None) -> Outcome:
        """Return what `brief` wrote."""
        return cls(
            **{
                **facts,
                "state": State(facts["state"]),
                "conflicts": tuple(facts["conflicts"]),
                "document": document or {},
            }
        )
