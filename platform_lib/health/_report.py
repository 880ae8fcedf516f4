"""What a probe answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Status = Literal["pass", "warn", "fail"]
"""The verdict on one check, or of a probe over all of them."""


class CheckResult(NamedTuple):  # as a frozen dataclass it would be most of what a probe costs
    """The verdict on one dependency, after hysteresis.

    Attributes:
        status: the verdict.
        criticality: how much it weighs in readiness.
        reason: a stable word for what is wrong (``timeout``, ``busy``, ``stale``, an error's class name), or
            None. Never an error's message: that may carry a host name or a password.
        age_seconds: how long ago the check last ended; None if it never did.
    """

    status: Status
    criticality: str
    reason: str | None = None
    age_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to one probe.

    Attributes:
        status: `fail` means the probe answers 503; `pass` and `warn` answer 200.
        checks: the verdicts it was made of, by name.
        reason: why it fails although no check does: ``starting``, ``draining`` or a broken worker's name.
    """

    status: Status
    checks: Mapping[str, CheckResult] = field(default_factory=lambda: MappingProxyType({}))
    reason: str | None = None

    def document(self, *, verbose: bool = False) -> dict[str, Any]:
        """Return the body of the probe's answer; details only when *verbose*."""
        document: dict[str, Any] = {"status": self.status}
        if not verbose:
            return document
        if self.reason is not None:
            document["reason"] = self.reason
        document["checks"] = {
            name: {
                "status": check.status,
                "criticality": check.criticality,
                **({"reason": check.reason} if check.reason is not None else {}),
                **({"age_seconds": round(check.age_seconds, 3)} if check.age_seconds is not None else {}),
            }
            for name, check in self.checks.items()
        }
        return document
