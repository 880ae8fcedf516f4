"""One operation at the processor, as payment services know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from platform_lib import Money


class Kind(StrEnum):
    """What was asked for."""

    AUTHORISATION = "authorisation"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Status(StrEnum):
    """What came of it."""

    APPROVED = "approved"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"  # the customer has to confirm first (3-D Secure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation and what came of it.

    `reference` is the caller's own name of it, under which it is done once; `authorisation_id` is what a
    capture, void or refund names.
    """

    id: str
    reference: str
    kind: Kind
    status: Status
    amount: Money
    authorisation_id: str
    decline_code: str | None
    redirect_url: str | None
    created_at: datetime

    @property
    def is_settled(self) -> bool:
        """Say whether the outcome is final."""
        return self.status is not Status.ACTION_REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The processor tells of an operation; the same `id` for every delivery of it."""

    id: str
    operation: Operation
