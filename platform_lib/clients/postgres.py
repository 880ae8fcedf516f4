"""PostgreSQL by asyncpg: a pool as a resource, spans and durations by query, lawful transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

import asyncpg
from pydantic import Field

from platform_lib import strict_json
from platform_lib.clients._pool_metrics import PoolMetrics
from platform_lib.clients._statements import Statements
from platform_lib.clients._transaction import refuse_second_connection, transaction_open
from platform_lib.config import Dsn, Seconds, Section
from platform_lib.errors import NotStarted, PlatformError, Unavailable
from platform_lib.redaction import mask_url

if TYPE_CHECKING:
    from types import TracebackType

    from asyncpg.pool import PoolConnectionProxy

    from platform_lib.clients.queries import Query

Isolation = Literal["read_committed", "repeatable_read", "serializable"]

Record: TypeAlias = asyncpg.Record
"""One row that a query returned: values by column name or by position, as asyncpg makes them."""

# Over the server's own limit, so that the server's clearer answer arrives first; ours is for a dead network.
_CLIENT_GRACE_SECONDS = 1.0
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
_UNREACHABLE = (*_LOST, OSError, TimeoutError, asyncpg.TooManyConnectionsError)


class PostgresSettings(Section):
    """Where the database is, how many connections this process keeps, and how long anything may take."""

    url: Annotated[Dsn, Field(description="postgresql://user:password@host:port/database")]
    pool_min: Annotated[int, Field(ge=0, description="connections kept open when idle")] = 1
    pool_max: Annotated[int, Field(ge=1, description="connections this process opens at most")] = 10
    connect_timeout: Annotated[
        Seconds, Field(gt=0, description="limit of opening a connection, and of waiting for a free one")
    ] = 5.0
    statement_timeout: Annotated[Seconds, Field(gt=0, description="limit of one statement")] = 10.0


class CannotConnect(PlatformError):
    """The database cannot be reached at start-up; the message says where it was sought, password masked."""


class Connection:
    """A connection lent by the pool: runs named queries, one span each; never leaves its block."""

    def __init__(self, connection: PoolConnectionProxy[Record], statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    async def fetch_all(self, query: Query, *args: Any) -> list[Record]:
        """Run *query* and return every row."""
        with self._statements.run(query):
            return await self._connection.fetch(query.sql, *args)

    async def fetch_one(self, query: Query, *args: Any) -> Record | None:
        """Run *query* and return its first row, or None."""
        with self._statements.run(query):
            return await self._connection.fetchrow(query.sql, *args)

    async def execute(self, query: Query, *args: Any) -> int:
        """Run *query* and return how many rows it affected; 0 for statements that affect none."""
        with self._statements.run(query):
            status = await self._connection.execute(query.sql, *args)
        last = status.rpartition(" ")[2]
        return int(last) if last.isdecimal() else 0


class Postgres:
    """A pool of connections: an async context manager, to be registered as a resource of the service."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool[Record] | None = None
        self._statements = Statements(settings.url.reveal())
        self._metrics = PoolMetrics(self._statements.pool_name, lambda: self._pool)

    async def __aenter__(self) -> Self:
        settings = self._settings
        try:
            self._pool = await asyncpg.create_pool(
                settings.url.reveal(),
                min_size=min(settings.pool_min, settings.pool_max),
                max_size=settings.pool_max,
                timeout=settings.connect_timeout,
                command_timeout=settings.statement_timeout + _CLIENT_GRACE_SECONDS,
                init=_register_json,
                reset=_keep_session,
                server_settings={"statement_timeout": str(round(settings.statement_timeout * 1000))},
            )
        except (*_UNREACHABLE, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise CannotConnect(
                f"database: cannot connect to {mask_url(settings.url.reveal())} "
                f"({type(error).__name__}); check that it runs, and its URL and password"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), self._settings.connect_timeout)
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection on which every statement commits by itself.

        Errors: `Unavailable` when none can be had, or when the one that is lent is lost halfway; a commit
        that was on its way may then have arrived.
        """
        refuse_second_connection(self)
        pool = self._open_pool()
        acquired = await self._acquire(pool)
        try:
            yield Connection(acquired, self._statements)
        except (*_LOST, asyncpg.InterfaceError) as error:
            # An interface error is a mistake in the code, unless it says that the connection is gone.
            if isinstance(error, asyncpg.InterfaceError) and not _is_gone(acquired):
                raise
            raise Unavailable(
                "The connection to the database was lost; send the same request again."
            ) from error
        finally:
            await pool.release(acquired)

    @asynccontextmanager
    async def transaction(self, *, isolation: Isolation | None = None) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction: commits at the end of the block, rolls back on any error.

        No call to a peer can be made inside (`LawBroken`), and no second connection be asked for.
        """
        async with self.connection() as connection:
            with transaction_open(self):
                async with connection._connection.transaction(isolation=isolation):  # noqa: SLF001  # of this module
                    yield connection

    async def check(self) -> str | None:
        """Ask the database for a sign of life, without ever queueing for a connection.

        Gives None if it is well, or a warning if every connection is busy: busy is not broken.
        """
        pool = self._open_pool()
        if pool.get_idle_size() == 0 and pool.get_size() >= pool.get_max_size():
            return f"busy: all {pool.get_max_size()} connections are in use"
        connection = await pool.acquire(timeout=self._settings.connect_timeout)
        try:
            await connection.execute("SELECT 1")
        finally:
            await pool.release(connection)
        return None

    def _open_pool(self) -> asyncpg.Pool[Record]:
        if self._pool is None:
            raise NotStarted("database")
        return self._pool

    async def _acquire(self, pool: asyncpg.Pool[Record]) -> PoolConnectionProxy[Record]:
        try:
            with self._metrics.waiting():
                return await pool.acquire(timeout=self._settings.connect_timeout)
        except _UNREACHABLE as error:
            raise Unavailable("The database cannot be reached now; try again.") from error


def postgres(settings: PostgresSettings) -> Postgres:
    """Make the pool that *settings* describe; it connects when the service opens it."""
    return Postgres(settings)


def _is_gone(connection: PoolConnectionProxy[Record]) -> bool:
    try:
        return connection.is_closed()
    except (
        asyncpg.InterfaceError
    ):  # the pool has taken it back, which it does as soon as the server closes it
        return True


def violated_constraint(error: BaseException) -> str | None:
    """Return the name of the constraint that *error* says was violated, or None if it is another error."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return error.constraint_name or None
    return None


async def _register_json(connection: Any) -> None:
    """Let dicts and lists be parameters and values of json and jsonb columns, strictly read and written."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: strict_json.dumps(value).decode(),
            decoder=strict_json.loads,
        )


async def _keep_session(_connection: Any) -> None:
    """Reset nothing when a connection returns: an open transaction is rolled back anyway.

    asyncpg's own reset is one more round trip for every request. Queries must not change the session:
    `SET LOCAL` and transaction-level advisory locks end with their transaction.
    """
