"""Money is an integer of minor units and an ISO 4217 code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor units of one currency."""

    minor_units: int
    currency: str
