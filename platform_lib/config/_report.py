"""What is wrong with a configuration, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: subject first, then the fact, then the next step; holds no secret.

    Attributes:
        subject: the dotted field, or the variable or file if no field is meant.
        fact: what is wrong with it.
        advice: what to do.
        found_in: where the wrong value stands, the strongest place first.
        variable: the variable that sets the field; empty if no field is meant.
    """

    subject: str
    fact: str
    advice: str = ""
    found_in: tuple[str, ...] = ()
    variable: str = ""

    def lines(self) -> list[str]:
        """Return the mistake as one block of lines."""
        block = [f"  {self.subject}: {self.fact}"]
        if self.found_in:
            winner, *losers = self.found_in
            block.append(
                f"    found in {winner}" + (f", which overrides {', '.join(losers)}" if losers else "")
            )
        if self.variable and not any(self.variable in text for text in (*self.found_in, self.advice)):
            block.append(f"    set by {self.variable}")
        if self.advice:
            block.append(f"    {self.advice}")
        return block

    def scrubbed(self, scrub: Callable[[str], str]) -> Mistake:
        """Return the mistake with every text put through *scrub*, should a secret have got into it."""
        return Mistake(
            scrub(self.subject),
            scrub(self.fact),
            scrub(self.advice),
            tuple(map(scrub, self.found_in)),
            self.variable,
        )


def render(settings_name: str, mistakes: Sequence[Mistake]) -> str:
    """Return the report on all *mistakes*."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    lines = [f"{settings_name}: the configuration cannot be used, {count}:"]
    for mistake in mistakes:
        lines += mistake.lines()
    return "\n".join(lines)
