"""The control of the search for secrets: planted in each real place, a canary is found there."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import nats
import pytest

from platform_lib.service import Service, ServiceSettings
from platform_lib.service._installed import Installed
from platform_lib.testing import Canaries, FailCheck, NoSecret, StartService

Message = MutableMapping[str, Any]

_tables = """
CREATE TABLE plain (id int, words text, nothing text);
CREATE TABLE "Odd ""name" (id int, "the document" jsonb);
CREATE SCHEMA other;
CREATE TABLE other.bytes (content bytea);
CREATE TABLE other.numbers (number bigint, list text[]);
"""


@pytest.fixture
async def database(database_url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(database_url)
    await connection.execute(_tables)
    await connection.close()
    return await asyncpg.connect(database_url)


@pytest.mark.parametrize(
    ("statement", "value", "place"),
    [
        ("INSERT INTO plain (words) VALUES ('ok'), ($1)", str, "database.plain.words[2]"),
        (
            'INSERT INTO "Odd ""name" VALUES (1, jsonb_build_object(\'pan\', $1::text))',
            str,
            'database.Odd "name.the document[1]',
        ),
        (
            "INSERT INTO other.bytes VALUES ($1)",
            lambda card: b64encode(card.encode()),
            "database.bytes.content[1]",
        ),
        ("INSERT INTO other.numbers (number) VALUES ($1)", int, "database.numbers.number[1]"),
        ("INSERT INTO other.numbers (list) VALUES (array[$1])", str, "database.numbers.list[1]"),
    ],
)
async def test_a_secret_in_any_column_of_the_database_is_found(
    database: asyncpg.Connection,
    canaries: Canaries,
    assert_no_secret: NoSecret,
    statement: str,
    value: Callable[[str], object],
    place: str,
) -> None:
    await assert_no_secret()

    await database.execute(statement, value(canaries.card))
    await database.close()

    with pytest.raises(AssertionError) as caught:
        await assert_no_secret()
    assert f"card 1 in {place}: " in str(caught.value)


@pytest.mark.parametrize("where", ["body", "header", "subject"])
async def test_a_secret_in_a_message_of_the_broker_is_found(
    broker_url: str, canaries: Canaries, assert_no_secret: NoSecret, where: str
) -> None:
    connection = await nats.connect(broker_url)
    try:
        streams = connection.jetstream()
        await streams.add_stream(name="PAYMENTS", subjects=["payments.>"])
        for deleted in (False, True):  # a gap in the sequence hides nothing behind it
            sent = await streams.publish("payments.paid", b"ok", headers={"Id": "1"})
            if deleted:
                await streams.delete_msg("PAYMENTS", sent.seq)
        await assert_no_secret()

        await streams.publish(
            f"payments.{canaries.card}" if where == "subject" else "payments.paid",
            canaries.card.encode() if where == "body" else b"ok",
            headers={"Note": canaries.card if where == "header" else "ok"},
        )
    finally:
        await connection.close()

    with pytest.raises(AssertionError) as caught:
        await assert_no_secret()
    assert "card 1 in broker.PAYMENTS[3]" in str(caught.value)


_process = """
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

print("paid with", os.environ.get("TELLER_CARD", "nothing"), flush=True)
address = os.environ["TELLER_HTTP_HOST"], int(os.environ["TELLER_HTTP_PORT"])
http.server.HTTPServer(address, Handler).serve_forever()
"""


async def test_a_secret_in_the_log_of_a_process_is_found(
    service_process: StartService,
    canaries: Canaries,
    assert_no_secret: NoSecret,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "src" / "teller"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_process)
    monkeypatch.syspath_prepend(tmp_path / "src")
    await service_process("teller")
    await assert_no_secret()

    process = await service_process("teller", environment={"TELLER_CARD": canaries.card})

    with pytest.raises(AssertionError, match=f"card 1 in shown.log of teller .pid {process.pid}.: paid with"):
        await assert_no_secret()
    with pytest.raises(AssertionError, match="card 1 in teller, log: paid with"):
        await assert_no_secret(teller=process)


# A service in this process, answering what it is told to.


class Answers:
    def __init__(self) -> None:
        self.header, self.body, self.logged = "ok", b"ok", "ok"

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        del receive
        logging.getLogger("answers").info("%s", self.logged)
        headers = [(b"x-note", self.header.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[9:]})


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def app(answers: Answers) -> Installed:
    async def well() -> None:
        pass

    service = Service("teller", ServiceSettings(environment="test"))
    service.check("database", well, criticality="critical")
    return service.install(answers)


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("header", "responses.2 GET 200, header x-note"),
        ("body", "responses.2 GET 200, body"),
        ("logged", "logs, line"),
    ],
)
async def test_a_secret_in_an_answer_or_a_log_line_is_found_whoever_keeps_it(
    client: httpx2.AsyncClient,
    answers: Answers,
    canaries: Canaries,
    assert_no_secret: NoSecret,
    where: str,
    place: str,
) -> None:
    await client.get("/")
    await assert_no_secret()

    planted: dict[str, Any] = {"header": canaries.card, "body": canaries.card.encode()}
    # A password alone has no form by which redaction could know it.
    setattr(answers, where, planted.get(where, canaries.dsn_password))
    await client.get("/")

    with pytest.raises(AssertionError, match=place):
        await assert_no_secret()


@pytest.fixture
def afterwards(app: Installed) -> Iterator[None]:
    """Set up before `fail_check`, so that this sees what that leaves."""
    yield
    assert app.service.health.readiness().checks["database"].reason != "forced"


@pytest.mark.usefixtures("afterwards")
async def test_a_check_fails_until_it_is_released_or_the_test_ends(
    client: httpx2.AsyncClient, fail_check: FailCheck
) -> None:
    assert (await client.get("/readyz")).status_code == 200

    with fail_check("database"):
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200

    fail_check("database")
    assert (await client.get("/readyz?verbose")).json()["checks"]["database"]["reason"] == "forced"
