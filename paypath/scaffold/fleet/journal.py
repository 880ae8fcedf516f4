"""The journal of a run: what was asked and done, one JSON object a line, on disk before it counts."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from paypath.scaffold.fleet.errors import BadFleet, FleetError
from paypath.scaffold.fleet.orders import Order
from paypath.scaffold.fleet.outcomes import Outcome
from paypath.scaffold.fleet.targets import Target

_format = 1
_name = "journal.jsonl"


@dataclass
class Journal:
    """The journal of one run.

    Attributes:
        folder: the run's folder.
        order: what was asked.
        targets: the services, in their order.
        begun: when it began, in ISO 8601.
        outcomes: what became of services so far, by their numbers.
        passed: the gates that somebody let the run pass, by the number of their wave.
        ended: the last word of the run so far: ``done`` or ``stopped``; empty while it is under way.
    """

    folder: Path
    order: Order
    targets: tuple[Target, ...]
    begun: str
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    passed: set[int] = field(default_factory=set)
    ended: str = ""

    def done(self, outcome: Outcome) -> None:
        """Record what became of a service; after this returns, no crash loses it."""
        if outcome.document:
            write_whole(_details(self.folder, outcome.number), json.dumps(outcome.document))
        self._add({"event": "done", **outcome.brief()})
        self.outcomes[outcome.number] = outcome

    def end(self, word: str) -> None:
        """Record that the run is ``done``, or ``stopped`` at a gate."""
        if word != self.ended:
            self._add({"event": "ended", "how": word})
            self.ended = word

    def pass_gate(self, wave: int) -> None:
        """Record that somebody lets the run go on after *wave*."""
        self._add({"event": "passed", "wave": wave})
        self.passed.add(wave)
        self.ended = ""

    def _add(self, line: Mapping[str, Any]) -> None:
        with (self.folder / _name).open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def begin_journal(folder: Path, order: Order, targets: tuple[Target, ...], begun: str) -> Journal:
    """Begin a run in *folder*; it is there whole, or not at all.

    Raises:
        BadFleet: there is a run already.
    """
    if (folder / _name).exists():
        raise BadFleet(f"{folder}: holds a run already; go on with `paypath fleet resume`, or name another")
    folder.mkdir(parents=True, exist_ok=True)
    first = {
        "event": "begun",
        "format": _format,
        "at": begun,
        "order": asdict(order),
        "services": [target.place for target in targets],
    }
    write_whole(folder / _name, json.dumps(first) + "\n")
    return Journal(folder, order, targets, begun)


def open_journal(folder: Path, *, mend: bool = False) -> Journal:
    """Read the journal of the run in *folder*.

    A crash may have left half a line at its end. It does not count; with *mend* it is cut off, which only
    whoever holds the run may ask for.

    Raises:
        BadFleet: there is no run.
        FleetError: the journal cannot be read.
    """
    file = folder / _name
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadFleet(f"{folder}: holds no run; name the folder that `paypath fleet apply` said") from error
    whole = content[: content.rfind(b"\n") + 1]
    if mend and len(whole) < len(content):
        with file.open("r+b") as opened:
            opened.truncate(len(whole))
            os.fsync(opened.fileno())
    try:
        first, *rest = (json.loads(line) for line in whole.splitlines())
        if first["format"] != _format:
            raise FleetError(f"{file}: is of format {first['format']}; use the version that wrote it")
        targets = tuple(Target(number, place) for number, place in enumerate(first["services"], start=1))
        journal = Journal(folder, Order(**first["order"]), targets, first["at"])
        for line in rest:
            _take(journal, line)
    except (ValueError, KeyError, TypeError) as error:
        raise FleetError(f"{file}: cannot be read ({error}); begin a new run") from error
    return journal


def read_details(journal: Journal) -> Iterator[Outcome]:
    """Return every outcome with its document, in the order of the services."""
    for number, outcome in sorted(journal.outcomes.items()):
        details = _details(journal.folder, number)
        document = json.loads(details.read_text(encoding="utf-8")) if details.exists() else {}
        yield Outcome.read(outcome.brief(), document)


@contextmanager
def holding_run(folder: Path) -> Iterator[None]:
    """Hold the run in *folder* until the block ends; the system gives it up when the process dies.

    Raises:
        FleetError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FleetError(f"{folder}: another process is at work on this run; wait for it") from error
        yield


def write_whole(file: Path, text: str) -> None:
    """Write *file* so that it has all of *text* or is as it was, after a crash of the machine too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.aside")
    with aside.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    aside.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _details(folder: Path, number: int) -> Path:
    return folder / "results" / f"{number:04}.json"


def _take(journal: Journal, line: dict[str, Any]) -> None:
    event = line.pop("event")
    if event == "done":
        outcome = Outcome.read(line)
        journal.outcomes[outcome.number] = outcome
    elif event == "passed":
        journal.passed.add(line["wave"])
        journal.ended = ""
    else:
        journal.ended = line["how"]
