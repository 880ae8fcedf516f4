"""Running migrations: one replica at a time, never waiting long for a lock that the service needs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from platform_lib.migrations._failure import MigrationFailed
from platform_lib.redaction import mask_url, redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection

T = TypeVar("T")

_log = logging.getLogger(__name__)
# Of pg_advisory_lock, in this database: any fixed number that nobody else uses.
_LOCK_KEY = 0x7061_7970_6174_68
_WAIT_FOR_OTHERS = "120s"  # for another replica's migrations, which may well take their time
# For a table that is in use. A migration that queues longer makes everyone behind it queue as well.
_WAIT_FOR_TABLE = "5s"
_CONNECT_TIMEOUT_SECONDS = 10.0
# Alembic keeps the running environment in module globals, so one thread at a time.
_one_at_a_time = threading.Lock()


def upgrade(url: str, versions: str) -> list[str]:
    """See `platform_lib.migrations.upgrade`."""

    async def run() -> list[str]:
        async with _connection(url, alone=True) as connection:
            return await connection.run_sync(lambda sync: _upgrade(sync, versions))

    return _run(run)


def current(url: str, versions: str) -> str | None:
    """See `platform_lib.migrations.current`."""

    async def run() -> str | None:
        async with _connection(url) as connection:
            heads = await connection.run_sync(_heads)
            return ", ".join(heads) or None

    _script(versions)  # a mistyped package is an error here as well
    return _run(run)


def pending(url: str, versions: str) -> list[str]:
    """See `platform_lib.migrations.pending`."""

    async def run() -> list[str]:
        async with _connection(url) as connection:
            return await connection.run_sync(lambda sync: _pending(sync, _script(versions)) or [])

    return _run(run)


def _upgrade(connection: Connection, versions: str) -> list[str]:
    script = _script(versions)
    todo = _pending(connection, script)
    if todo is None:
        _log.warning(
            "migrations: the database is at %s, which this version of the service does not know; "
            "it is left as it is, because a newer version migrated it",
            ", ".join(_heads(connection)),
        )
        return []
    if not todo:
        return []
    applied: list[str] = []

    def note(*, step: Any, **_: object) -> None:
        applied.append(step.up_revision_id)

    config = _config(versions)
    config.attributes["connection"] = connection
    config.attributes["on_version_apply"] = note
    connection.commit()  # what was read so far; Alembic opens a transaction for every migration
    try:
        with _one_at_a_time:
            command.upgrade(config, "heads")
    except (DBAPIError, asyncpg.PostgresError) as error:
        connection.rollback()
        failed = next((revision for revision in todo if revision not in applied), todo[-1])
        reason = redact(str(_original(error)).partition("\n")[0])  # the lines after it quote values
        raise MigrationFailed(
            f"migrations: {failed} of {versions} failed and was rolled back ({reason}); "
            f"correct it and run again: it goes on after {applied[-1] if applied else 'the last applied one'}"
        ) from error
    return applied


def _original(error: BaseException) -> BaseException:
    """Return the server's own error below what SQLAlchemy made of it."""
    while not isinstance(error, asyncpg.PostgresError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _pending(connection: Connection, script: ScriptDirectory) -> list[str] | None:
    """Return what the database lacks, or None if it is at a revision that *script* does not know."""
    heads = _heads(connection)
    if not {revision.revision for revision in script.walk_revisions()}.issuperset(heads):
        return None
    newest_first = script.iterate_revisions("heads", heads or "base")
    return [revision.revision for revision in newest_first][::-1]


def _heads(connection: Connection) -> tuple[str, ...]:
    return tuple(MigrationContext.configure(connection).get_current_heads())


def _config(versions: str) -> Config:
    folder = files(versions).joinpath("versions")
    if not folder.is_dir():
        raise MigrationFailed(f"migrations: {versions} has no folder `versions`; put the migrations into it")
    config = Config()
    config.set_main_option("script_location", "platform_lib:migrations")
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    return config


def _script(versions: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(versions))


@asynccontextmanager
async def _connection(url: str, *, alone: bool = False) -> AsyncIterator[AsyncConnection]:
    """Open a connection, *url* read by asyncpg as in the service; *alone* waits while others migrate."""

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        try:
            return await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise MigrationFailed(
                f"migrations: cannot connect to {mask_url(url)} ({type(error).__name__}); "
                "check that the database runs, and its URL and password"
            ) from error

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    event.listen(engine.sync_engine, "do_execute", _run_scripts_whole)
    try:
        async with engine.connect() as connection:
            if alone:
                await _take_turn(connection)
            yield connection  # the lock is the session's: closing the connection releases it
    finally:
        await engine.dispose()


async def _take_turn(connection: AsyncConnection) -> None:
    await connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_OTHERS}'"))
    try:
        await connection.execute(text(f"SELECT pg_advisory_lock({_LOCK_KEY})"))
    except DBAPIError as error:
        raise MigrationFailed(
            f"migrations: another process has been migrating this database for more than {_WAIT_FOR_OTHERS}; "
            "see what it waits for (pg_stat_activity), then run again"
        ) from error
    await connection.execute(text(f"SET lock_timeout = '{_WAIT_FOR_TABLE}'"))
    await connection.commit()


def _run_scripts_whole(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Let a migration execute a script of several statements, which asyncpg refuses to prepare."""
    if parameters or ";" not in statement.rstrip().rstrip(";"):
        return False
    cursor.execute("SELECT 1", ())  # the adapter begins the transaction with its first statement
    context.root_connection.connection.dbapi_connection.run_async(lambda driver: driver.execute(statement))
    return True


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    raise RuntimeError("migrations: called inside a running event loop; call it through asyncio.to_thread")
