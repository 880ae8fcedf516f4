"""The database's own guards: bad money is refused whoever writes it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from platform_lib.clients import violated_constraint

from {{ cookiecutter.package }}.domain.payment import TRANSITIONS, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAYMENT = UUID(int=1)
ATTEMPT = UUID(int=11)

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "INSERT INTO payment"
            " (merchant_id, id, merchant_reference, currency, amount, state, created_at, updated_at)"
            " VALUES ('acme', $1, 'order-1', 'EUR', 1250, 'pending', $2, $2)",
            PAYMENT,
            NOW,
        )
        yield connection
    finally:
        await connection.close()


async def change(connection: Connection, assignments: str) -> None:
    await connection.execute(f"UPDATE payment SET {assignments} WHERE id = $1", PAYMENT)


async def add_attempt(connection: Connection, attempt: UUID, merchant_id: str = "acme") -> None:
    await connection.execute(
        "INSERT INTO attempt"
        " (merchant_id, id, payment_id, number, operation, amount, outcome, idempotency_key,"
        " next_check_at, created_at)"
        " VALUES ($1, $2, $3, $4, 'authorise', 1250, 'pending', 'k-1', $5, $5)",
        merchant_id,
        attempt,
        PAYMENT,
        attempt.int,
        NOW,
    )


@pytest.mark.parametrize(
    "assignments",
    [
        "state = 'authorised', authorised = 1251",
        "state = 'authorised', authorised = 1250, captured = 1251",
        "state = 'captured', authorised = 1250, captured = 10, refunded = 11",
    ],
)
async def test_money_that_does_not_add_up_is_refused(connection: Connection, assignments: str) -> None:
    await change(connection, "state = 'unknown'")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await change(connection, assignments)

    assert violated_constraint(refused.value) == "payment_money_adds_up"


@pytest.mark.parametrize(
    "assignments",
    [
        "state = 'authorised'",
        "state = 'declined', authorised = 1250",
        "state = 'captured', authorised = 1250",
        "state = 'captured', authorised = 1250, captured = 10, refunded = 10",
        "state = 'refunded', authorised = 1250, captured = 10, refunded = 9",
        "state = 'voided', authorised = 1250, captured = 1",
    ],
)
async def test_a_state_that_its_money_does_not_bear_out_is_refused(
    connection: Connection, assignments: str
) -> None:
    await change(connection, "state = 'unknown'")

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await change(connection, assignments)

    assert violated_constraint(refused.value) == "payment_state_fits_money"


async def test_the_database_and_the_rules_know_the_same_transitions(connection: Connection) -> None:
    known = {
        (State(row["before"]), State(row["after"])): row["legal"]
        for row in await connection.fetch(
            "SELECT before, after, payment_may_become(before, after) AS legal"
            " FROM unnest($1::text[]) AS before, unnest($1::text[]) AS after",
            list(State),
        )
    }

    assert known == {
        (before, after): after in TRANSITIONS[before] for before, after in product(State, repeat=2)
    }


async def test_an_illegal_transition_is_refused(connection: Connection) -> None:
    await change(connection, "state = 'declined'")

    with pytest.raises(asyncpg.CheckViolationError, match="declined cannot become authorised") as refused:
        await change(connection, "state = 'authorised', authorised = 1250")

    assert violated_constraint(refused.value) == "payment_transition_is_legal"


async def test_money_that_moved_cannot_be_unmoved(connection: Connection) -> None:
    await change(connection, "state = 'authorised', authorised = 1250")
    await change(connection, "state = 'captured', captured = 1000")

    for assignments in ("captured = 999", "currency = 'SEK'", "amount = 2000"):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await change(connection, assignments)
        assert violated_constraint(refused.value) == "payment_money_only_grows"


async def test_a_payment_begins_pending(connection: Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await connection.execute(
            "INSERT INTO payment (merchant_id, id, merchant_reference, currency, amount, authorised, state,"
            " created_at, updated_at) VALUES ('acme', $1, 'order-2', 'EUR', 1, 1, 'authorised', $2, $2)",
            UUID(int=2),
            NOW,
        )

    assert violated_constraint(refused.value) == "payment_begins_pending"


@pytest.mark.parametrize("amounts", ["0, 0, 0", "1, 0, -1", "1, 2, 0"])
async def test_a_payment_begins_with_money_that_adds_up(connection: Connection, amounts: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "INSERT INTO payment (merchant_id, id, merchant_reference, currency, state,"
            " created_at, updated_at, amount, captured, refunded)"
            f" VALUES ('acme', $1, 'order-2', 'EUR', 'pending', $2, $2, {amounts})",
            UUID(int=2),
            NOW,
        )


async def test_a_settled_attempt_is_final(connection: Connection) -> None:
    await add_attempt(connection, ATTEMPT)
    await connection.execute("UPDATE attempt SET outcome = 'failed', settled_at = $1", NOW)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await connection.execute("UPDATE attempt SET outcome = 'succeeded'")

    assert violated_constraint(refused.value) == "attempt_outcome_is_final"


async def test_a_second_unsettled_attempt_is_refused(connection: Connection) -> None:
    await add_attempt(connection, ATTEMPT)

    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await add_attempt(connection, UUID(int=12))

    assert violated_constraint(refused.value) == "attempt_one_unsettled"


async def test_an_attempt_belongs_to_a_payment_of_the_same_merchant(connection: Connection) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await add_attempt(connection, ATTEMPT, merchant_id="other")
