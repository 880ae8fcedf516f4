"""Spans and measurements of real calls are those of the reference, attribute for attribute.

Broker and database are at hand here, so that every form of span can be made in one place.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from opentelemetry.sdk.trace import ReadableSpan

import platform_lib
from platform_lib.clients import HttpClientSettings, Postgres, Queries, http_client
from platform_lib.errors import NotFound, UnknownOutcome
from platform_lib.events import Event, EventRejected, Nats
from platform_lib.telemetry import ServerSpans, linked_span, traced
from platform_lib.telemetry._attributes import meanings
from platform_lib.telemetry._instruments import SERVICE, declared
from platform_lib.telemetry._span_forms import SpanForm, forms
from platform_lib.testing import CapturedMetrics, CapturedSpans
from tests.integration.events.one_event import CAPTURED, publish
from tests.integration.events.support import running, until
from tests.integration.http_peer import answer, close, in_turn, peer

QUERIES = Queries.from_text(
    """\
-- name: one
-- One.
SELECT 1

-- name: nothing
-- Fails.
SELECT * FROM nothing
""",
    "test queries",
)

everything = FastAPI()


@everything.get("/v1/things/{thing}")
async def _find(thing: str) -> str:
    return thing


@everything.get("/v1/broken")
async def _break() -> Response:
    raise OSError


@everything.api_route("/v1/any", methods=["PURGE"])
async def _purge(_request: Request) -> str:
    return "gone"


async def serve() -> None:
    transport = httpx2.ASGITransport(app=ServerSpans(everything), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        for method, path in (("GET", "/v1/things/1"), ("GET", "/v1/broken"), ("PURGE", "/v1/any")):
            await client.request(method, path)


async def call() -> None:
    settings = {"timeout": 5, "retry": {"attempts": 2, "pause": 0.001}}
    behave = in_turn(answer(503), answer(200), answer(404), answer(200), close)
    async with peer(behave) as it:
        made = HttpClientSettings.model_validate({"url": it.url} | settings)
        async with http_client("provider", made) as client:
            for method in ("GET", "GET", "PURGE", "POST"):
                with suppress(UnknownOutcome):
                    await client.request(method, "/v1/things")


async def query(database: Postgres) -> None:
    async with database.connection() as connection:
        await connection.fetch_one(QUERIES.one)
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch_one(QUERIES.nothing)


async def exchange(broker: Nats) -> None:
    handled: list[Event] = []

    async def handle(event: Event) -> None:
        handled.append(event)
        if len(handled) == 1:
            raise OSError

    async def done() -> bool:
        return len(handled) == 2

    await publish(broker)
    with pytest.raises(EventRejected):
        await broker.publish(CAPTURED.type, b"x" * 2_000_000, message_id="large")
    async with running(broker.subscribe("ledger", handle)):
        await until(done)


async def work() -> None:
    @traced("work")
    async def refuse() -> None:
        raise NotFound("no such thing")

    @traced("work")
    async def fail() -> None:
        raise OSError

    for kind in (NotFound, OSError):
        with suppress(kind), linked_span("background work", None):
            raise kind("no such thing")
    with suppress(NotFound):
        await refuse()
    with suppress(OSError):
        await fail()


def form_of(span: ReadableSpan) -> SpanForm:
    """Return the form of *span*: of its kind, and with the most attributes that it always has."""
    attributes = set(span.attributes or {})
    fitting = [form for form in forms if form.kind == span.kind.name and set(form.required) <= attributes]
    assert fitting, f"{span.name}: no form of span fits; add one to platform_lib/telemetry/_span_forms.py"
    return max(fitting, key=lambda form: len(form.required))


async def test_every_span_and_measurement_is_as_the_reference_says(
    database: Postgres, broker: Nats, spans: CapturedSpans, metrics: CapturedMetrics
) -> None:
    """Nothing that is not there, nothing there that never is: what a call leaves out is not documented."""
    await serve()
    await call()
    await query(database)
    await exchange(broker)
    await work()

    seen: dict[str, set[str]] = {form.title: set() for form in forms}
    for span in spans:
        form, attributes = form_of(span), set(span.attributes or {})
        assert attributes <= form.attributes, span.name
        seen[form.title] |= attributes
    assert seen == {form.title: set(form.attributes) for form in forms}
    for name, metric in declared().items():
        if metric.source == SERVICE or not metrics.series(name):
            continue
        recorded = [set(series.attributes) for series in metrics.series(name)]
        assert all(set(metric.required) <= each for each in recorded), name
        assert set().union(*recorded) == set(metric.attributes), name


def test_spans_are_opened_where_a_form_of_them_is_known_and_nowhere_else() -> None:
    """A module that opens spans makes a form of them: describe it, make it above, name the module here."""
    makers = "client_span|producer_span|consumer_span|linked_span|start_span|RequestSpan"
    opens = re.compile(rf"^(?!\s*(?:def|class) ).*\b({makers})\(", re.MULTILINE)
    library = Path(platform_lib.__file__).parent

    found = {
        str(path.relative_to(library))
        for path in library.rglob("*.py")
        if opens.search(path.read_text(encoding="utf-8"))
    }

    assert found == {
        "clients/_attempt.py",
        "clients/_statements.py",
        "events/_messaging.py",
        "frameworks/_background.py",
        "telemetry/_recorder.py",
        "telemetry/_server.py",
    }


def test_every_attribute_has_a_meaning_and_none_is_left_over() -> None:
    used = {
        attribute
        for metric in declared().values()
        if metric.source != SERVICE
        for attribute in metric.attributes
    }
    used |= {attribute for form in forms for attribute in form.attributes}

    assert used == set(meanings)
