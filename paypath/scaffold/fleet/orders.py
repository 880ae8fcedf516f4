"""What is asked of a run, which its journal keeps, and the waves in which it goes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from paypath.scaffold.fleet.errors import BadFleet

_wave = re.compile(r"(?P<number>[1-9]\d*)(?P<percent>%?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked of a run; a resumed run must ask the same.

    Attributes:
        to: the version wanted; by default each template's newest release.
        source: where the template is read, if not where the answers say.
        online: ask that source itself; if False read only what this tool carries; if None read what it
            carries where that is enough, as `Choices` of an upgrade have it.
        tests: run each service's tests before and after.
        test_command: how, as a shell command; by default ``make test``.
        lock: choose the versions of all dependencies anew, with ``make lock``; needs the network.
        push: push each branch whose tests are not red to the remote ``origin``; needs the network.
        waves: how many services are tried before the next gate: numbers, percentages and ``all``.
        max_failed: how many services may fail before a gate stops the run.
    """

    to: str | None = None
    source: str | None = None
    online: bool | None = None
    tests: bool = True
    test_command: str | None = None
    lock: bool = False
    push: bool = False
    waves: str = "1,5%,all"
    max_failed: int = 0

    def differences(self, given: Mapping[str, Any]) -> list[str]:
        """Return, as messages, what *given* asks otherwise."""
        asked = asdict(self)
        return [
            f"{name}: was {asked[name]}, is now {value}"
            for name, value in given.items()
            if asked[name] != value
        ]


def wave_sizes(waves: str, services: int) -> list[int]:
    """Return how many of so many *services* each wave is to try; a percentage is rounded up.

    Raises:
        BadFleet: *waves* cannot be read.

    Examples:
        >>> wave_sizes("1,5%,all", 100)
        [1, 5, 100]
    """
    sizes = []
    for part in waves.split(","):
        match = _wave.fullmatch(part.strip())
        if part.strip() == "all":
            sizes.append(services)
        elif match is None:
            raise BadFleet(f'--waves: "{part.strip()}" is no wave; write it like 1,5%,all')
        else:
            number = int(match["number"])
            sizes.append(math.ceil(services * number / 100) if match["percent"] else number)
    return sizes
