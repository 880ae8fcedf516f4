"""What the demo did, as data: everything that it shows and that `--json` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from paypath.demo.story import Step
from paypath.demo.trace import Span
from platform_lib.engines import Engine


@dataclass
class Performance:
    """What the demo did; complete when `perform` hands it over.

    Attributes:
        folder: where the generated service lies.
        merchant_key: the API key of the merchant acme, which ends with the demo.
        url: where the service answers.
        engines: which engine each resource got, and why.
        steps: the story, in order.
        events: the types of the events that reached the broker, in order.
        trace: the spans of the first payment, parents first.
        health: the body of ``/readyz?verbose``.
        complaints: what had to be seen and was not.
    """

    folder: Path
    merchant_key: str
    url: str = ""
    engines: list[Engine] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    trace: list[Span] = field(default_factory=list)
    health: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether every step had its outcome and everything that must be seen was seen."""
        return bool(self.steps) and all(step.ok for step in self.steps) and not self.complaints

    def document(self) -> dict[str, Any]:
        """Return the whole of it for ``--json``; engines without their URLs, which may hold a password."""
        return {
            "ok": self.ok,
            "folder": str(self.folder),
            "url": self.url,
            "engines": [
                {
                    "resource": engine.resource,
                    "engine": engine.name,
                    "detail": engine.detail,
                    "reason": engine.reason,
                }
                for engine in self.engines
            ],
            "steps": [{**asdict(step), "ok": step.ok} for step in self.steps],
            "events": self.events,
            "trace": [{**asdict(span), "role": span.role} for span in self.trace],
            "health": self.health,
            "complaints": self.complaints,
        }
