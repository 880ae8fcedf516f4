"""One operation asked of the provider, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from platform_lib import Money


class Operation(StrEnum):
    """What the provider is asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Outcome(StrEnum):
    """What became of an attempt; the first three are unsettled, the last three are final."""

    PENDING = "pending"  # recorded before the provider is asked
    UNKNOWN = "unknown"  # asked, and the reply is lost or does not fit: the provider may have done it
    ACTION_REQUIRED = "action_required"  # the customer has to confirm first (3-D Secure)
    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # the provider or the bank said no
    FAILED = "failed"  # the provider did nothing

    @property
    def is_settled(self) -> bool:
        """Say whether this outcome is final."""
        return self in {Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is known about one attempt, in our words.

    `reference`, `operation` and `amount` are what the provider says it acted on; they are compared with
    what it was asked. They are empty where the provider said nothing.
    """

    outcome: Outcome
    code: str | None = None
    reference: str | None = None
    operation: Operation | None = None
    amount: Money | None = None
    authorisation: str | None = None
    redirect_url: str | None = None

    @classmethod
    def unknown(cls, reason: str) -> Result:
        """Say that only the provider knows the outcome."""
        return cls(outcome=Outcome.UNKNOWN, code=reason)

    @classmethod
    def failed(cls, code: str) -> Result:
        """Say that the provider certainly did nothing."""
        return cls(outcome=Outcome.FAILED, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One operation on one payment; `id` is the reference that the provider knows it by."""

    id: UUID
    operation: Operation
    amount: Money
    idempotency_key: str  # whoever settles the attempt stores the answer under the caller's key
    created_at: datetime
    outcome: Outcome = Outcome.PENDING
    code: str | None = None
    redirect_url: str | None = None
    settled_at: datetime | None = None

    def checked(self, result: Result) -> Result:
        """Return *result* if it is about this attempt, else an unknown outcome that names the mismatch."""
        if result.outcome in {Outcome.UNKNOWN, Outcome.FAILED}:
            return result
        mismatches = {
            "reference_mismatch": result.reference != str(self.id),
            "operation_mismatch": result.operation is not self.operation,
            "amount_mismatch": result.amount != self.amount,
            "authorisation_missing": result.authorisation is None,
            "unexpected_action": (
                result.outcome is Outcome.ACTION_REQUIRED and self.operation is not Operation.AUTHORISE
            ),
        }
        return next((Result.unknown(reason) for reason, found in mismatches.items() if found), result)

    def contradicts(self, result: Result) -> bool:
        """Say whether *result* is final as well, and another outcome than the one that stands."""
        return self.outcome.is_settled and result.outcome.is_settled and result.outcome is not self.outcome

    def with_result(self, result: Result, now: datetime) -> Attempt:
        """Return the attempt as it is after *result*."""
        return replace(
            self,
            outcome=result.outcome,
            code=result.code,
            redirect_url=result.redirect_url,
            settled_at=now if result.outcome.is_settled else None,
        )
