"""What is wrong with a configuration, as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_shortest_scrubbed = 4


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: subject first, then the fact, then the next step; holds no secret.

    Attributes:
        subject: the dotted field, or the variable or file if no field is meant.
        fact: what is wrong with it.
        advice: what to do.
        found_in: where the wrong value stands, the strongest place first.
    """

    subject: str
    fact: str
    advice: str = ""
    found_in: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the mistake as one block of lines."""
        block = [f"  {self.subject}: {self.fact}"]
        if self.found_in:
            winner, *losers = self.found_in
            block.append(
                f"    found in {winner}" + (f", which overrides {', '.join(losers)}" if losers else "")
            )
        if self.advice:
            block.append(f"    {self.advice}")
        return block


def render(settings_name: str, mistakes: Sequence[Mistake], secrets: Iterable[str]) -> str:
    """Return the report on all *mistakes*; should one of *secrets* have got into it, it is masked."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    lines = [f"{settings_name}: the configuration cannot be used, {count}:"]
    for mistake in mistakes:
        lines += mistake.lines()
    text = "\n".join(lines)
    for secret in sorted(
        {secret for secret in secrets if len(secret) >= _shortest_scrubbed}, key=len, reverse=True
    ):
        text = text.replace(secret, "***")
    return text
