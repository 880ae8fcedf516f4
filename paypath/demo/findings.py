"""What the story left behind: events on the broker, the trace of the first payment, the health report."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import httpx2
import nats
from nats.errors import TimeoutError as NothingMoreError

from paypath.demo.collector import Collector
from paypath.demo.performance import Performance
from paypath.demo.teller import Teller
from paypath.demo.trace import Span, draw, tree

# Three payments are authorised: the first, the one that was sent twice, and the one whose reply was lost.
_wanted_events = Counter(
    {"payment.authorised": 3, "payment.captured": 1, "payment.refunded": 1, "payment.declined": 1}
)
_wanted_roles = {"request", "use case", "provider call", "database", "outbox", "broker"}
_request = "POST /v1/payments"


def show_events(shown: Performance, broker_url: str, subject: str, teller: Teller) -> None:
    """Read the events back from the broker."""
    shown.events = asyncio.run(_events(broker_url, subject))
    missing = _wanted_events - Counter(shown.events)
    if missing:
        shown.complaints.append(f"no event {', '.join(sorted(missing))} reached the broker")
    teller.line("events", f"{len(shown.events)} on the broker: {', '.join(shown.events)}", ok=not missing)


async def _events(url: str, subject: str) -> list[str]:
    """Read the service's stream from its beginning until all wanted came, or nothing more comes."""
    client = await nats.connect(url)
    try:
        subscription = await client.jetstream().subscribe(f"{subject}.>", ordered_consumer=True)
        seen: list[str] = []
        while not _wanted_events <= Counter(seen):
            try:
                message = await subscription.next_msg(timeout=5)
            except NothingMoreError:
                break
            seen.append(json.loads(message.data)["type"])
        return seen
    finally:
        await client.close()


def show_trace(shown: Performance, collector: Collector, teller: Teller) -> None:
    """Draw the trace of the first payment once every part of it has arrived."""
    spans = _first_trace(collector.wait_until(lambda spans: not _missing(_first_trace(spans)), timeout=5))
    shown.trace = [span for _, span in tree(spans)]
    missing = _missing(spans)
    if missing:
        shown.complaints.append(f"the trace of the first payment has no {', '.join(sorted(missing))}")
    trace_id = spans[0].trace_id if spans else "none"
    teller.line("trace", f"{len(spans)} spans of the first payment, all of trace {trace_id}", ok=not missing)
    teller.block(draw(spans))


def _first_trace(spans: list[Span]) -> list[Span]:
    requests = [span for span in spans if span.name == _request]
    if not requests:
        return []
    first = min(requests, key=lambda span: span.start_ns)
    return [span for span in spans if span.trace_id == first.trace_id]


def _missing(spans: list[Span]) -> set[str]:
    return _wanted_roles - {span.role for span in spans}


def show_health(shown: Performance, teller: Teller) -> None:
    """Ask the service how it is."""
    reply = httpx2.get(f"{shown.url}/readyz", params={"verbose": ""}, timeout=5)
    shown.health = reply.json()
    ready = reply.status_code == httpx2.codes.OK
    if not ready:
        shown.complaints.append("the service is not ready")
    checks = shown.health.get("checks", {})
    words = ", ".join(f"{name} {check['status']}" for name, check in checks.items())
    teller.line("health", f"{shown.health['status']} ({words})", ok=ready)
