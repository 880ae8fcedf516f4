"""What happened to a settlement, as other services hear it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from {{ cookiecutter.package }}.domain.settlement import Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementClosed:
    """A merchant can be paid out for a day."""

    settlement: Settlement
    time: datetime
    type: str = "settlement.closed"

    def data(self) -> dict[str, Any]:
        """Return what consumers read; members are only ever added."""
        return {
            "settlement_id": str(self.settlement.id),
            "day": self.settlement.day.isoformat(),
            "total": {
                "minor_units": self.settlement.total.minor_units,
                "currency": self.settlement.total.currency,
            },
            "movements": self.settlement.movements,
        }
