"""Failures that were asked for: a check fails in every report, whatever it finds."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from platform_lib.health._report import CheckResult


class ForcedFailure:
    """One check made to fail, until `release` or the end of the ``with`` block."""

    def __init__(self, name: str, forced: list[ForcedFailure]) -> None:
        self.name = name
        self._forced = forced
        forced.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let the check report again what it finds; twice does nothing."""
        if self in self._forced:
            self._forced.remove(self)


def with_forced(
    results: dict[str, CheckResult], forced: list[ForcedFailure]
) -> Iterator[tuple[str, CheckResult]]:
    """Yield *results* with those that are forced turned to failures; reads memory only."""
    names = {failure.name for failure in forced}
    for name, result in results.items():
        yield name, result._replace(status="fail", reason="forced") if name in names else result
