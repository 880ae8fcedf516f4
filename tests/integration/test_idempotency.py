"""Idempotency keys on a real database: of any number of equal requests exactly one takes effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from platform_lib import ManualClock, SequentialIds
from platform_lib.clients import Connection, Postgres, PostgresSettings, Queries, postgres
from platform_lib.errors import Fault
from platform_lib.payments import (
    Answer,
    Claimed,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    IdempotencyKeys,
    Replay,
    fingerprint,
    idempotency_ddl,
)

RACERS = 64
FIRST = fingerprint("POST", "/v1/payments", b'{"amount":1}')
OTHER = fingerprint("POST", "/v1/payments", b'{"amount":2}')
CREATED = Answer(201, b'{"id": "1",  "state": "authorised"}')

sql = Queries.from_text(
    """
-- name: count_waiting
-- Count the statements that wait for another transaction's end.
SELECT count(*) AS waiting FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
-- name: count_keys
-- Count all keys.
SELECT count(*) AS keys FROM platform_idempotency_keys
-- name: break_key
-- Try to make a settled key an unsettled one that still has its answer.
UPDATE platform_idempotency_keys SET status = 'claimed'
""",
    "test_idempotency",
)


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], object]:
    async def create(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(idempotency_ddl())
        await connection.close()

    return lambda url: asyncio.run(create(url))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    # One more connection than racers, to watch them.
    settings = PostgresSettings.model_validate({"url": database_url, "pool_min": 0, "pool_max": RACERS + 1})
    async with postgres(settings) as opened:
        yield opened


@pytest.fixture
def keys(clock: ManualClock) -> IdempotencyKeys:
    return IdempotencyKeys(clock=clock)


@pytest.fixture
def claim(
    keys: IdempotencyKeys, clock: ManualClock, ids: SequentialIds
) -> Callable[..., asyncio.Future[Claimed | Replay]]:
    def claim_one(
        connection: Connection,
        *,
        key: str = "order-1",
        merchant_id: str = "merchant-1",
        operation: str = "create_payment",
        content: bytes = FIRST,
        resource_id: UUID | None = None,
    ) -> asyncio.Future[Claimed | Replay]:
        return asyncio.ensure_future(
            keys.claim(
                connection,
                merchant_id=merchant_id,
                operation=operation,
                key=key,
                fingerprint=content,
                resource_id=resource_id or ids.new(),
                now=clock.now(),
            )
        )

    return claim_one


Claim = Callable[..., asyncio.Future[Claimed | Replay]]


class _RollBack(Exception):
    pass


@asynccontextmanager
async def rolled_back(database: Postgres) -> AsyncIterator[Connection]:
    """Lend a transaction that fails at its end."""
    with suppress(_RollBack):
        async with database.transaction() as connection:
            yield connection
            raise _RollBack


async def settle(database: Postgres, keys: IdempotencyKeys, answer: Answer = CREATED) -> None:
    async with database.transaction() as connection:
        await keys.settle(
            connection, merchant_id="merchant-1", operation="create_payment", key="order-1", answer=answer
        )


async def until_waiting(database: Postgres, count: int) -> None:
    """Return when *count* statements wait for a lock."""
    async with asyncio.timeout(20), database.connection() as connection:
        while True:
            row = await connection.fetch_one(sql.count_waiting)
            if row is not None and row["waiting"] == count:
                return
            await asyncio.sleep(0.01)


async def test_of_64_simultaneous_claims_exactly_one_gets_the_key(database: Postgres, claim: Claim) -> None:
    everyone_connected = asyncio.Barrier(RACERS)

    async def race() -> str:
        try:
            async with database.transaction() as connection:
                await everyone_connected.wait()
                return type(await claim(connection)).__name__
        except IdempotencyKeyInUse:
            return "in use"

    outcomes = await asyncio.gather(*(race() for _ in range(RACERS)))

    assert outcomes.count("Claimed") == 1
    assert outcomes.count("in use") == RACERS - 1


async def test_a_claim_waits_for_the_first_and_then_learns_its_answer(
    database: Postgres, claim: Claim, keys: IdempotencyKeys
) -> None:
    async def second() -> Claimed | Replay:
        async with database.transaction() as connection:
            return await claim(connection)

    async with database.transaction() as connection:
        first = await claim(connection)
        waiting = asyncio.create_task(second())
        await asyncio.create_task(until_waiting(database, 1))
        await keys.settle(
            connection, merchant_id="merchant-1", operation="create_payment", key="order-1", answer=CREATED
        )

    assert isinstance(first, Claimed)
    assert await waiting == Replay(CREATED, first.resource_id)


async def test_a_claim_of_a_rolled_back_transaction_leaves_the_key_free(
    database: Postgres, claim: Claim
) -> None:
    async with rolled_back(database) as connection:
        await claim(connection)

    async with database.transaction() as connection:
        assert isinstance(await claim(connection), Claimed)


async def test_when_the_first_rolls_back_exactly_one_of_those_who_wait_gets_the_key(
    database: Postgres, claim: Claim
) -> None:
    async def race() -> str:
        try:
            async with database.transaction() as connection:
                return type(await claim(connection)).__name__
        except IdempotencyKeyInUse:
            return "in use"

    async with rolled_back(database) as connection:
        await claim(connection)
        racers = [asyncio.create_task(race()) for _ in range(16)]
        await asyncio.create_task(until_waiting(database, 16))
    outcomes = await asyncio.gather(*racers)

    assert sorted(outcomes) == ["Claimed"] + ["in use"] * 15


async def test_a_key_without_an_answer_is_in_use(database: Postgres, claim: Claim) -> None:
    async with database.transaction() as connection:
        await claim(connection)

    with pytest.raises(IdempotencyKeyInUse) as caught:
        async with database.transaction() as connection:
            await claim(connection)

    assert caught.value.status == 409
    assert caught.value.headers == {"Retry-After": "1"}
    assert caught.value.document()["retryable"] is True


async def test_a_replayed_key_returns_the_first_answer_byte_for_byte(
    database: Postgres, claim: Claim, keys: IdempotencyKeys
) -> None:
    async with database.transaction() as connection:
        first = await claim(connection)
    await settle(database, keys)

    async with database.transaction() as connection:
        replay = await claim(connection)

    assert replay == Replay(CREATED, first.resource_id)


async def test_the_first_settle_wins(database: Postgres, claim: Claim, keys: IdempotencyKeys) -> None:
    async with database.transaction() as connection:
        await claim(connection)
    await settle(database, keys, CREATED)
    await settle(database, keys, Answer(500, b"late"))

    async with database.transaction() as connection:
        replay = await claim(connection)

    assert isinstance(replay, Replay)
    assert replay.answer == CREATED


async def test_of_many_simultaneous_settles_one_answer_stays(
    database: Postgres, claim: Claim, keys: IdempotencyKeys
) -> None:
    async with database.transaction() as connection:
        await claim(connection)
    answers = [Answer(200 + number, bytes([number])) for number in range(16)]
    await asyncio.gather(*(settle(database, keys, answer) for answer in answers))

    replays = []
    for _ in range(2):
        async with database.transaction() as connection:
            replays.append(await claim(connection))

    assert isinstance(replays[0], Replay)
    assert replays[0].answer in answers
    assert replays[0] == replays[1]


@pytest.mark.parametrize("settled", [False, True])
async def test_a_key_with_another_request_is_refused_whether_settled_or_not(
    database: Postgres, claim: Claim, keys: IdempotencyKeys, *, settled: bool
) -> None:
    async with database.transaction() as connection:
        await claim(connection)
    if settled:
        await settle(database, keys)

    with pytest.raises(IdempotencyKeyReused) as caught:
        async with database.transaction() as connection:
            await claim(connection, content=OTHER)

    assert caught.value.status == 422


async def test_a_key_belongs_to_its_merchant_and_its_operation(
    database: Postgres, claim: Claim, keys: IdempotencyKeys
) -> None:
    async with database.transaction() as connection:
        await claim(connection)
    await settle(database, keys)

    async with database.transaction() as connection:
        foreign = await claim(connection, merchant_id="merchant-2", content=OTHER)
        capture = await claim(connection, operation="capture", content=OTHER)

    assert isinstance(foreign, Claimed)
    assert isinstance(capture, Claimed)


async def test_an_answer_to_a_key_that_nobody_claimed_is_a_fault(
    database: Postgres, keys: IdempotencyKeys
) -> None:
    with pytest.raises(Fault, match="settled without a claim"):
        await settle(database, keys)


async def test_only_settled_keys_beyond_the_window_are_purged(
    database: Postgres, claim: Claim, keys: IdempotencyKeys, clock: ManualClock
) -> None:
    async with database.transaction() as connection:
        await claim(connection)
        await claim(connection, key="order-2")  # never settled: its outcome may still be unknown
    await settle(database, keys)
    window = timedelta(hours=24)

    clock.advance(window.total_seconds())
    async with database.transaction() as connection:
        assert await keys.purge(connection, settled_before=clock.now() - window) == 0
    clock.advance(1)
    async with database.transaction() as connection:
        assert await keys.purge(connection, settled_before=clock.now() - window) == 1
        left = await connection.fetch_one(sql.count_keys)
        assert left is not None
        assert left["keys"] == 1
        assert isinstance(await claim(connection, content=OTHER), Claimed)


async def test_the_database_refuses_a_key_that_is_half_settled(
    database: Postgres, claim: Claim, keys: IdempotencyKeys
) -> None:
    async with database.transaction() as connection:
        await claim(connection)
    await settle(database, keys)

    with pytest.raises(asyncpg.CheckViolationError):
        async with database.transaction() as connection:
            await connection.execute(sql.break_key)
