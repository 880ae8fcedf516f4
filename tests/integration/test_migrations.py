"""Migrations on a real server: one at a time, in order, each whole or not at all."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from platform_lib.clients import PostgresSettings, postgres
from platform_lib.migrations import MigrationFailed, Schema, SchemaBehind, current, pending, upgrade
from platform_lib.migrations._run import _LOCK_KEY
from platform_lib.testing import Databases

Package = Callable[..., str]

FIRST = "op.execute('CREATE TABLE payments (id bigint PRIMARY KEY)')"
SECOND = "op.execute('ALTER TABLE payments ADD COLUMN merchant_id text')"

_numbers = itertools.count(1)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Write a package of migrations; each argument is the body of one `upgrade`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def write(*bodies: str) -> str:
        name = f"migrations_of_a_test_{next(_numbers)}"
        versions = tmp_path / name / "versions"
        versions.mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        for number, body in enumerate(bodies, start=1):
            previous = repr(f"{number - 1:04}") if number > 1 else "None"
            (versions / f"{number:04}_step.py").write_text(
                f"from alembic import op\nrevision = '{number:04}'\ndown_revision = {previous}\n"
                f"def upgrade():\n    {body}\n",
                encoding="utf-8",
            )
        made.append(name)
        return name

    yield write
    for name in made:
        sys.modules.pop(name, None)


def query(url: str, sql: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(run())


def test_pending_migrations_are_applied_in_order_and_only_once(database_url: str, package: Package) -> None:
    versions = package(FIRST, SECOND)

    assert current(database_url, versions) is None
    assert pending(database_url, versions) == ["0001", "0002"]
    assert upgrade(database_url, versions) == ["0001", "0002"]
    assert current(database_url, versions) == "0002"
    assert pending(database_url, versions) == []
    assert upgrade(database_url, versions) == []


def test_a_later_version_goes_on_where_the_earlier_one_stopped(database_url: str, package: Package) -> None:
    upgrade(database_url, package(FIRST))

    assert upgrade(database_url, package(FIRST, SECOND)) == ["0002"]


def test_a_migration_that_fails_is_undone_and_the_ones_before_it_stay(
    database_url: str, package: Package
) -> None:
    broken = "op.execute('CREATE TABLE half (id int)'); op.execute('ALTER TABLE nothing ADD x int')"
    versions = package(FIRST, broken)

    with pytest.raises(MigrationFailed) as caught:
        upgrade(database_url, versions)

    assert f"migrations: 0002 of {versions} failed and was rolled back" in str(caught.value)
    assert 'relation "nothing" does not exist' in str(caught.value)
    assert current(database_url, versions) == "0001"
    assert query(database_url, "SELECT to_regclass('half')") == [None]


def test_a_script_of_several_statements_is_one_migration(database_url: str, package: Package) -> None:
    script = '''op.execute("""
        CREATE TABLE outbox (id bigint PRIMARY KEY, data jsonb DEFAULT '{"a": "x;y"}');
        CREATE FUNCTION now_or_never() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
        CREATE INDEX outbox_data ON outbox (data);
        """)'''

    assert upgrade(database_url, package(script)) == ["0001"]
    assert query(database_url, "SELECT now_or_never()") == [1]


def test_a_script_that_fails_in_the_middle_leaves_nothing(database_url: str, package: Package) -> None:
    versions = package("op.execute('CREATE TABLE half (id int); CREATE TABLE half (id int);')")

    with pytest.raises(MigrationFailed, match='relation "half" already exists'):
        upgrade(database_url, versions)

    assert query(database_url, "SELECT to_regclass('half')") == [None]
    assert current(database_url, versions) is None


def test_a_script_belongs_to_the_transaction_of_its_migration(database_url: str, package: Package) -> None:
    script_first = "op.execute('CREATE TABLE a (id int); CREATE TABLE b (id int);'); op.execute('SELECT 1/0')"
    versions = package(FIRST, script_first)

    with pytest.raises(MigrationFailed, match=r"0002 of .*division by zero"):
        upgrade(database_url, versions)

    assert query(database_url, "SELECT to_regclass('a')") == [None]


def test_databases_migrated_by_several_threads_get_each_their_own_tables(
    databases: Databases, migrate: Callable[[str], object], package: Package
) -> None:
    urls = [databases.create(migrate) for _ in range(3)]
    # Long enough for the others to come in between, where nothing keeps them out.
    versions = package("op.execute('SELECT pg_sleep(0.1)'); " + FIRST)

    with ThreadPoolExecutor(3) as threads:
        applied = list(threads.map(lambda url: upgrade(url, versions), urls))

    assert applied == [["0001"]] * 3
    assert [query(url, "SELECT to_regclass('payments')::text") for url in urls] == [["payments"]] * 3
    for url in urls:
        databases.drop(url)


def test_replicas_that_start_together_take_turns(database_url: str, package: Package) -> None:
    versions = package(FIRST, SECOND)

    with ThreadPoolExecutor(4) as replicas:
        applied = list(replicas.map(lambda _: upgrade(database_url, versions), range(4)))

    assert sorted(applied) == [[], [], [], ["0001", "0002"]]


def test_a_replica_that_never_ends_is_not_waited_for_for_ever(
    database_url: str, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_lib.migrations._run._WAIT_FOR_OTHERS", "100ms")

    async def hold() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(f"SELECT pg_advisory_lock({_LOCK_KEY})")
            await asyncio.to_thread(upgrade, database_url, package(FIRST))
        finally:
            await connection.close()

    with pytest.raises(MigrationFailed, match="another process has been migrating"):
        asyncio.run(hold())


def test_a_table_in_use_is_not_waited_for_long(
    database_url: str, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_lib.migrations._run._WAIT_FOR_TABLE", "100ms")
    upgrade(database_url, package(FIRST))

    async def hold() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE payments")
                await asyncio.to_thread(upgrade, database_url, package(FIRST, SECOND))
        finally:
            await connection.close()

    with pytest.raises(MigrationFailed, match=r"0002 of .* lock timeout"):
        asyncio.run(hold())


def test_a_database_that_is_ahead_is_left_alone(
    database_url: str, package: Package, caplog: pytest.LogCaptureFixture
) -> None:
    older, newer = package(FIRST), package(FIRST, SECOND)
    upgrade(database_url, newer)

    assert upgrade(database_url, older) == []
    assert pending(database_url, older) == []
    assert "the database is at 0002, which this version of the service does not know" in caplog.text


async def test_inside_a_loop_migrations_run_in_a_thread(database_url: str, package: Package) -> None:
    versions = package(FIRST)

    with pytest.raises(RuntimeError, match=r"asyncio.to_thread"):
        upgrade(database_url, versions)

    assert await asyncio.to_thread(upgrade, database_url, versions) == ["0001"]


def test_no_database_is_told_with_its_address_and_without_its_password(package: Package) -> None:
    with pytest.raises(MigrationFailed) as caught:
        upgrade("postgresql://pay:hunter2@127.0.0.1:1/payments", package(FIRST))

    assert "127.0.0.1:1/payments" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_package_without_migrations_is_told(database_url: str) -> None:
    with pytest.raises(MigrationFailed, match="has no folder `versions`"):
        upgrade(database_url, "platform_lib.clients")


def test_a_folder_with_a_percent_sign_and_a_space_in_its_name_is_found(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100% of: it"
    versions = folder / "migrations_in_a_strange_place" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").touch()
    (versions / "0001_step.py").write_text("revision = '0001'\ndown_revision = None\ndef upgrade(): ...\n")
    monkeypatch.syspath_prepend(str(folder))

    assert upgrade(database_url, "migrations_in_a_strange_place") == ["0001"]


async def opened(url: str, versions: str) -> bool:
    """Open the schema as a service does."""
    settings = PostgresSettings.model_validate({"url": url, "pool_min": 0, "pool_max": 1})
    async with postgres(settings) as database, Schema(database, versions):
        return True


async def test_a_schema_opens_on_a_database_that_has_every_migration(
    databases: Databases, package: Package
) -> None:
    url, versions = databases.create(lambda _: None), package(FIRST, SECOND)
    await asyncio.to_thread(upgrade, url, versions)

    assert await opened(url, versions)


async def test_a_schema_that_lacks_migrations_names_them_oldest_first(
    databases: Databases, package: Package
) -> None:
    url, versions = databases.create(lambda _: None), package(FIRST, SECOND)

    with pytest.raises(SchemaBehind) as caught:
        await opened(url, versions)

    assert caught.value.missing == ["0001", "0002"]
    assert f"run `python -m {versions} migrate` first" in str(caught.value)


async def test_a_schema_that_lacks_only_the_newest_migration_names_that_one(
    databases: Databases, package: Package
) -> None:
    url = databases.create(lambda _: None)
    await asyncio.to_thread(upgrade, url, package(FIRST))

    with pytest.raises(SchemaBehind) as caught:
        await opened(url, package(FIRST, SECOND))

    assert caught.value.missing == ["0002"]


async def test_a_schema_that_a_newer_version_made_is_fine(databases: Databases, package: Package) -> None:
    url = databases.create(lambda _: None)
    await asyncio.to_thread(upgrade, url, package(FIRST, SECOND))

    assert await opened(url, package(FIRST))


def test_a_serving_process_does_not_load_alembic() -> None:
    program = (
        "import platform_lib.migrations, sys; print('alembic' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["False", "False"]
