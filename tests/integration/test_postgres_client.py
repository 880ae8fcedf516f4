"""The PostgreSQL client on a real server: transactions, laws, JSON, spans, and a pool under pressure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from opentelemetry.trace import SpanKind

from platform_lib.clients import (
    CannotConnect,
    Connection,
    Postgres,
    PostgresSettings,
    Queries,
    Query,
    http_client,
    postgres,
    violated_constraint,
)
from platform_lib.clients._statements import Statements
from platform_lib.errors import LawBroken, NotStarted, Unavailable
from platform_lib.telemetry import client_span
from platform_lib.testing import CapturedMetrics, CapturedSpans, Databases

CARD = "4111111111111111"

QUERIES = Queries.from_text(
    """\
-- name: create
-- The table of these tests.
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    minor_units bigint CONSTRAINT payments_amount_positive CHECK (minor_units > 0),
    data jsonb,
    note json
)

-- name: add
-- Adds a payment.
INSERT INTO payments (id, minor_units, data, note) VALUES ($1, $2, $3, $4)

-- name: find
-- The payment of an id.
SELECT id, minor_units, data, note FROM payments WHERE id = $1

-- name: every
-- Every payment, the smallest first.
SELECT id, minor_units FROM payments ORDER BY minor_units

-- name: raise_all
-- Raises every amount by one.
UPDATE payments SET minor_units = minor_units + 1

-- name: sleep
-- Takes its time.
SELECT pg_sleep($1)

-- name: isolation
-- How isolated the transaction is.
SELECT current_setting('transaction_isolation') AS level

-- name: terminate
-- Ends a server process, as a restart of the server does.
SELECT pg_terminate_backend($1, 5000)

-- name: backend
-- Which server process serves this connection.
SELECT pg_backend_pid() AS pid
""",
    "test queries",
)


def payment(number: int) -> UUID:
    return UUID(int=number)


def settings(url: str, **others: object) -> PostgresSettings:
    return PostgresSettings.model_validate({"url": url, **others})


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    async with postgres(settings(database_url, pool_max=2)) as database:
        async with database.connection() as connection:
            await connection.execute(QUERIES.create)
        yield database


async def test_rows_come_back_by_name(database: Postgres) -> None:
    async with database.transaction() as connection:
        added = await connection.execute(QUERIES.add, payment(1), 1250, None, None)
        await connection.execute(QUERIES.add, payment(2), 7, None, None)

    async with database.connection() as connection:
        row = await connection.fetch_one(QUERIES.find, payment(1))
        rows = await connection.fetch_all(QUERIES.every)
        raised = await connection.execute(QUERIES.raise_all)
        missing = await connection.fetch_one(QUERIES.find, payment(3))
        rows_of_a_select = await connection.execute(QUERIES.every)

    assert added == 1
    assert row is not None
    assert (row["id"], row["minor_units"]) == (payment(1), 1250)
    assert [found["minor_units"] for found in rows] == [7, 1250]
    assert raised == 2
    assert missing is None
    assert rows_of_a_select == 2


async def test_an_error_in_the_block_takes_everything_back(database: Postgres) -> None:
    async def fail_halfway() -> None:
        async with database.transaction() as connection:
            await connection.execute(QUERIES.add, payment(1), 1250, None, None)
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail_halfway()

    assert await _count(database) == 0


async def test_a_cancelled_block_takes_everything_back_and_returns_the_connection(database: Postgres) -> None:
    added = asyncio.Event()

    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(QUERIES.add, payment(1), 1250, None, None)
            added.set()
            await connection.fetch_one(QUERIES.sleep, 60)

    for _ in range(3):  # more often than there are connections
        added.clear()
        task = asyncio.create_task(work())
        await added.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await _count(database) == 0


async def test_outside_of_a_transaction_each_statement_commits_by_itself(database: Postgres) -> None:
    async def fail_halfway() -> None:
        async with database.connection() as connection:
            await connection.execute(QUERIES.add, payment(1), 1250, None, None)
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail_halfway()

    assert await _count(database) == 1


async def test_a_transaction_is_as_isolated_as_it_is_asked_to_be(database: Postgres) -> None:
    async with database.transaction(isolation="serializable") as connection:
        row = await connection.fetch_one(QUERIES.isolation)

    assert row is not None
    assert row["level"] == "serializable"


async def test_dicts_and_lists_are_json(database: Postgres) -> None:
    data = {"b": [1, None, {"c": "é\u2028"}], "a": 9007199254740993}
    async with database.transaction() as connection:
        await connection.execute(QUERIES.add, payment(1), 1, data, ["x", True])
        row = await connection.fetch_one(QUERIES.find, payment(1))

    assert row is not None
    assert row["data"] == data
    assert row["note"] == ["x", True]


async def test_a_float_does_not_get_into_json(database: Postgres) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.DataError, match="float"):
            await connection.execute(QUERIES.add, payment(1), 1, {"amount": 12.5}, None)


async def test_a_violated_constraint_is_known_by_its_name(database: Postgres) -> None:
    async with database.connection() as connection:
        await connection.execute(QUERIES.add, payment(1), 1, None, None)
        with pytest.raises(asyncpg.UniqueViolationError) as twice:
            await connection.execute(QUERIES.add, payment(1), 1, None, None)
        with pytest.raises(asyncpg.CheckViolationError) as negative:
            await connection.execute(QUERIES.add, payment(2), -1, None, None)

    assert violated_constraint(twice.value) == "payments_pkey"
    assert violated_constraint(negative.value) == "payments_amount_positive"
    assert violated_constraint(ValueError()) is None


class TestLaws:
    """No call to a peer inside a transaction, and no second connection."""

    @pytest.mark.parametrize("internal", [False, True])
    async def test_no_http_call_leaves_inside_a_transaction(
        self,
        internal: bool,  # noqa: FBT001  # both kinds of peer
        database: Postgres,
    ) -> None:
        connected = False

        def accept(_: object, writer: asyncio.StreamWriter) -> None:
            nonlocal connected
            connected = True
            writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = http_client("provider", url, internal=internal)
        async with server, client, database.transaction() as connection:
            await connection.execute(QUERIES.add, payment(1), 1, None, None)
            with pytest.raises(LawBroken, match="provider: capture was called inside an open database"):
                await client.request("POST", "/", operation="capture")

        assert not connected

    async def test_the_law_stays_broken_for_a_task_started_inside(self, database: Postgres) -> None:
        async with http_client("provider", "http://127.0.0.1:1") as client, database.transaction():
            task = asyncio.create_task(client.request("GET", "/"))
            (outcome,) = await asyncio.gather(task, return_exceptions=True)

        assert isinstance(outcome, LawBroken)

    @pytest.mark.parametrize("end", ["commit", "rollback"])
    async def test_after_the_transaction_calls_are_free(self, end: str, database: Postgres) -> None:
        server = await asyncio.start_server(_say_ok, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, http_client("provider", url) as client:
            try:
                async with database.transaction():
                    if end == "rollback":
                        raise RuntimeError  # noqa: TRY301  # what rolls back
            except RuntimeError:
                pass
            async with database.connection():
                reply = await client.request("GET", "/")

        assert reply.status == 200

    async def test_a_transaction_inside_a_transaction_is_refused(self, database: Postgres) -> None:
        async with database.transaction():
            with pytest.raises(LawBroken, match="pass the transaction's connection along"):
                await database.transaction().__aenter__()
            with pytest.raises(LawBroken):
                await database.connection().__aenter__()


class TestSpans:
    """A span for each statement, named after its query, and no data in it."""

    async def test_a_transaction_shows_its_statements_only(
        self, database: Postgres, spans: CapturedSpans
    ) -> None:
        with client_span("use case"):
            async with database.transaction() as connection:
                await connection.execute(QUERIES.add, payment(1), 1250, {"card": CARD}, None)
                await connection.fetch_one(QUERIES.find, payment(1))
                await connection.fetch_all(QUERIES.every)

        assert spans.tree() == "use case (client)\n  add (client)\n  find (client)\n  every (client)"

    async def test_a_statement_says_what_and_where_and_never_with_what(
        self, database: Postgres, database_url: str, spans: CapturedSpans
    ) -> None:
        async with database.connection() as connection:
            await connection.execute(QUERIES.add, payment(1), 1250, {"card": CARD}, None)

        (span,) = spans
        attributes = dict(span.attributes or {})
        port = attributes.pop("server.port")
        assert f":{port}/" in database_url
        assert span.kind is SpanKind.CLIENT
        assert attributes == {
            "db.system.name": "postgresql",
            "db.namespace": database_url.rpartition("/")[2].partition("?")[0],
            "server.address": "127.0.0.1",
            "db.operation.name": "INSERT",
            "db.query.summary": "add",
        }
        assert CARD not in span.to_json()

    async def test_a_failed_statement_has_its_sqlstate_and_not_its_values(
        self, database: Postgres, spans: CapturedSpans
    ) -> None:
        async with database.connection() as connection:
            await connection.execute(QUERIES.add, payment(1), 1, None, None)
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute(QUERIES.add, payment(1), 1, None, None)

        failed = spans.named("add")[1]
        assert (failed.attributes or {})["db.response.status_code"] == "23505"
        assert (failed.attributes or {})["error.type"] == "asyncpg.exceptions.UniqueViolationError"
        assert str(payment(1)) not in failed.to_json()


class TestPool:
    """Connections are few, and nobody waits for ever."""

    async def test_a_busy_pool_is_busy_and_not_broken(self, database_url: str) -> None:
        busy = settings(database_url, pool_max=1, connect_timeout=0.2)
        async with postgres(busy) as database:
            assert await database.check() is None
            async with database.connection():
                warning = await asyncio.wait_for(database.check(), 0.1)

                with pytest.raises(Unavailable):
                    await asyncio.create_task(_count(database))

        assert warning == "busy: all 1 connections are in use"

    async def test_the_check_opens_a_connection_when_there_is_room(self, database_url: str) -> None:
        roomy = postgres(settings(database_url, pool_min=0, pool_max=2))
        async with roomy as database, database.connection():
            assert await database.check() is None

    async def test_the_check_fails_when_the_database_is_gone(
        self, databases: Databases, migrate: Callable[[str], object]
    ) -> None:
        url = databases.create(migrate)
        async with postgres(settings(url)) as database:
            assert await database.check() is None
            databases.drop(url)

            # The first may only learn that its connection was ended; the second cannot open another.
            outcomes = [await asyncio.gather(database.check(), return_exceptions=True) for _ in range(2)]

        assert isinstance(outcomes[-1][0], asyncpg.InvalidCatalogNameError)

    @pytest.mark.parametrize("statement_is_running", [True, False])
    async def test_a_connection_lost_halfway_is_worth_another_try(
        self, *, statement_is_running: bool, database: Postgres
    ) -> None:
        async def end(process: int) -> None:
            async with database.connection() as connection:
                await connection.execute(QUERIES.terminate, process)

        async def lose() -> None:
            async with database.transaction() as connection:
                backend = await connection.fetch_one(QUERIES.backend)
                assert backend is not None
                ending = asyncio.create_task(end(backend["pid"]))
                if not statement_is_running:
                    await ending
                await connection.fetch_one(QUERIES.sleep, 60)

        with pytest.raises(Unavailable, match="lost") as caught:
            await lose()

        assert caught.value.retryable
        async with database.connection() as connection:
            assert await connection.fetch_all(QUERIES.every) == []

    async def test_a_mistake_in_the_code_is_no_lost_connection(self, database: Postgres) -> None:
        async def mistake() -> None:
            async with database.connection() as connection:
                await connection.fetch_one(QUERIES.sleep)

        with pytest.raises(asyncpg.InterfaceError, match="expects 1 argument"):
            await mistake()

    async def test_a_statement_that_takes_too_long_is_ended_by_the_server(self, database_url: str) -> None:
        hasty = postgres(settings(database_url, statement_timeout=0.1))
        async with hasty as database, database.connection() as connection:
            with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
                await connection.fetch_one(QUERIES.sleep, 60)
            row = await connection.fetch_one(QUERIES.isolation)

        assert row is not None

    async def test_no_database_at_start_is_told_with_its_address_and_without_its_password(self) -> None:
        absent = postgres(settings("postgresql://pay:hunter2@127.0.0.1:1/payments", connect_timeout=1))

        with pytest.raises(CannotConnect) as caught:
            await absent.__aenter__()

        assert "127.0.0.1:1/payments" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    async def test_a_database_that_does_not_exist_is_told(self, database_url: str) -> None:
        base, _, _ = database_url.rpartition("/")

        with pytest.raises(CannotConnect, match="InvalidCatalogNameError"):
            await postgres(settings(f"{base}/no_such_database")).__aenter__()

    async def test_before_and_after_the_service_runs_the_pool_is_not_open(self, database_url: str) -> None:
        database = postgres(settings(database_url))

        with pytest.raises(NotStarted, match="database"):
            await _count(database)
        async with database:
            pass
        with pytest.raises(NotStarted, match="database"):
            await database.check()

    async def test_closing_does_not_wait_for_ever_for_a_borrowed_connection(self, database_url: str) -> None:
        database = postgres(settings(database_url, connect_timeout=0.2))
        await database.__aenter__()
        lent = asyncio.Event()

        async def keep() -> None:
            async with database.connection() as connection:
                lent.set()
                await connection.fetch_one(QUERIES.sleep, 60)

        task = asyncio.create_task(keep())
        await lent.wait()
        await asyncio.wait_for(database.__aexit__(None, None, None), 5)

        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, Exception)

    async def test_a_connection_costs_no_round_trip_to_return(
        self, database: Postgres, database_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        async with database.connection() as connection:
            row = await connection.fetch_one(QUERIES.backend)
        assert row is not None
        watcher = await asyncpg.connect(database_url)
        last = await watcher.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", row["pid"])
        await watcher.close()

        assert last == QUERIES.backend.sql


async def _count(database: Postgres) -> int:
    async with database.connection() as connection:
        return len(await _every(connection))


async def _every(connection: Connection) -> list[asyncpg.Record]:
    return await connection.fetch_all(QUERIES.every)


async def _say_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


class TestMetrics:
    """Statements by name, and how full the pool is; never a parameter."""

    async def test_a_statement_is_measured_by_its_query(
        self, database: Postgres, metrics: CapturedMetrics
    ) -> None:
        async with database.connection() as connection:
            for number in range(1, 4):
                await connection.execute(QUERIES.add, payment(number), 1250, {"card": CARD}, None)
            await connection.fetch_all(QUERIES.every)
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute(QUERIES.add, payment(1), 1, None, None)

        name = "db.client.operation.duration"
        added = {"db.query.summary": "add", "db.operation.name": "INSERT", "db.system.name": "postgresql"}
        assert metrics.count(name) == 5
        assert metrics.count(name, added) == 4
        assert metrics.count(name, {"db.query.summary": "every", "db.operation.name": "SELECT"}) == 1
        (failed,) = metrics.series(name, {"db.response.status_code": "23505"})
        assert failed.attributes["error.type"] == "asyncpg.exceptions.UniqueViolationError"
        assert metrics.value(name, added) > 0
        for secret in (CARD, str(payment(1)), "INSERT INTO"):
            assert secret not in metrics.text()

    async def test_a_statement_that_can_hold_several_operations_names_none(
        self, database: Postgres, spans: CapturedSpans
    ) -> None:
        several = Query(name="several", sql="WITH a AS (SELECT 1) SELECT * FROM a", summary="s")
        async with database.connection() as connection:
            await connection.fetch_one(several)

        (span,) = spans.named("several")
        assert "db.operation.name" not in (span.attributes or {})

    async def test_a_pool_says_how_full_it_is_while_it_is_open(
        self, database: Postgres, database_url: str, metrics: CapturedMetrics
    ) -> None:
        where, name = database_url.rpartition("/")[::2]
        pool = {"db.client.connection.pool.name": f"{where.rpartition('@')[2]}/{name.partition('?')[0]}"}
        count = "db.client.connection.count"
        idle, used = (
            pool | {"db.client.connection.state": "idle"},
            pool | {"db.client.connection.state": "used"},
        )

        async with database.connection():
            assert (metrics.value(count, idle), metrics.value(count, used)) == (0, 1)
        assert (metrics.value(count, idle), metrics.value(count, used)) == (1, 0)
        assert metrics.value("db.client.connection.max", pool) == 2
        assert metrics.value("db.client.connection.idle.min", pool) == 1
        assert metrics.count("db.client.connection.wait_time", pool) == 1
        await database.__aexit__(None, None, None)
        assert metrics.series(count, pool) == []

    async def test_who_waits_for_a_connection_is_counted_and_who_waited_in_vain(
        self, database_url: str, metrics: CapturedMetrics
    ) -> None:
        one = settings(database_url, pool_max=1, connect_timeout=0.3)
        async with postgres(one) as database, database.connection():

            async def ask() -> None:
                async with database.connection():
                    pass

            asking = asyncio.create_task(ask())
            await asyncio.sleep(0)
            assert metrics.value("db.client.connection.pending_requests") == 1
            with pytest.raises(Unavailable):
                await asking
            assert metrics.value("db.client.connection.pending_requests") == 0
            assert metrics.value("db.client.connection.timeouts") == 1


@pytest.mark.parametrize(
    ("url", "attributes", "pool"),
    [
        (
            "postgresql://u:p@db.test/shop",
            {"db.namespace": "shop", "server.address": "db.test", "server.port": 5432},
            "db.test:5432/shop",
        ),
        (
            "postgresql://db.test:6432/shop?search_path=ledger,public",
            {"db.namespace": "shop|ledger", "server.address": "db.test", "server.port": 6432},
            "db.test:6432/shop|ledger",
        ),
        (
            "postgresql://db.test/shop?options=-c%20search_path%3Dledger",
            {"db.namespace": "shop|ledger", "server.address": "db.test", "server.port": 5432},
            "db.test:5432/shop|ledger",
        ),
        (
            "postgresql:///shop?host=/run/postgresql&port=6000",
            {"db.namespace": "shop", "server.address": "/run/postgresql", "server.port": 6000},
            "/run/postgresql:6000/shop",
        ),
        (
            "postgresql://u:p@a.test:1,b.test:2/shop",
            {"db.namespace": "shop", "server.address": "a.test:1,b.test:2"},
            "a.test:1,b.test:2/shop",
        ),
    ],
)
def test_where_the_database_is_comes_from_its_url(url: str, attributes: dict[str, object], pool: str) -> None:
    statements = Statements(url)

    assert statements.database == {"db.system.name": "postgresql", **attributes}
    assert statements.pool_name == pool
