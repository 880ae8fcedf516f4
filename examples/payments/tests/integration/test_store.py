"""The store on a real PostgreSQL: what two processes at once may and may not do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from fakes import FakeProvider
from platform_lib import ManualClock, Money, RandomIds
from platform_lib.clients import Postgres, PostgresSettings, postgres
from platform_lib.config import Dsn
from platform_lib.events import Inbox, Outbox
from platform_lib.payments import IdempotencyKeyInUse, IdempotencyKeys

from payments.adapters.store import PostgresStore
from payments.domain.attempt import Attempt, Operation, Outcome, Result
from payments.domain.payment import Payment, State
from payments.domain.refusals import (
    NotCapturable,
    OperationInProgress,
    PaymentNotFound,
)
from payments.entrypoints.schemas import answer
from payments.ports import Reply, Request
from payments.use_cases import UseCases

LEASE_SECONDS = 30.0
ids = RandomIds()


class GatedProvider(FakeProvider):
    """Answers captures only once the gate is open, so that a race stays open as long as the test likes."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.captures = 0

    async def change(self, attempt: Attempt, authorisation: str) -> Result:
        self.captures += 1
        await self.gate.wait()
        return await super().change(attempt, authorisation)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    async with postgres(PostgresSettings(url=Dsn(database_url))) as database:
        yield database


@pytest.fixture
def store(database: Postgres, clock: ManualClock) -> PostgresStore:
    return PostgresStore(
        database=database,
        keys=IdempotencyKeys(clock=clock),
        outbox=Outbox(),
        inbox=Inbox(clock=clock),
        clock=clock,
        ids=ids,
        source="payments",
        lease_seconds=LEASE_SECONDS,
    )


@pytest.fixture
def provider() -> GatedProvider:
    return GatedProvider()


@pytest.fixture
def use_cases(store: PostgresStore, provider: GatedProvider, clock: ManualClock) -> UseCases:
    return UseCases(
        store=store,
        provider=provider,
        render=answer,
        clock=clock,
        ids=ids,
        not_found_after=timedelta(minutes=5),
    )


def keyed(key: str) -> Request:
    return Request(merchant_id="acme", key=key, fingerprint=key.encode().ljust(32))


async def authorise(use_cases: UseCases, key: str = "authorise", token: str = "tok_approved") -> Reply:
    return await use_cases.authorise(
        keyed(key), amount=Money(1250, "EUR"), payment_token=token, merchant_reference="order-1"
    )


async def only(store: PostgresStore) -> Payment:
    (payment,) = await store.page("acme", limit=10, after=None)
    return payment


async def test_a_payment_is_read_back_as_it_was_saved(use_cases: UseCases, store: PostgresStore) -> None:
    reply = await authorise(use_cases)

    payment = await only(store)
    assert payment == await store.get("acme", payment.id)
    assert payment.state is State.AUTHORISED
    assert payment.authorised == Money(1250, "EUR")
    assert answer(payment, payment.attempts[0]) == reply.answer


async def test_of_many_captures_at_once_exactly_one_is_asked_for(
    use_cases: UseCases, store: PostgresStore, provider: GatedProvider
) -> None:
    await authorise(use_cases)
    payment = await only(store)

    racers = [
        asyncio.create_task(use_cases.capture(keyed(f"capture-{number}"), payment.id, None))
        for number in range(8)
    ]
    # The winner waits for the provider; everybody else is refused meanwhile.
    done: set[asyncio.Task[Reply]] = set()
    waiting = set(racers)
    while len(waiting) > 1:
        finished, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        done |= finished
    provider.gate.set()
    (winner,) = await asyncio.gather(*waiting)

    assert winner.answer.status == 200
    assert {type(task.exception()) for task in done} == {OperationInProgress}
    assert provider.captures == 1
    assert (await only(store)).captured == Money(1250, "EUR")


async def test_the_index_refuses_a_second_unsettled_attempt_even_without_the_rules(
    use_cases: UseCases, store: PostgresStore
) -> None:
    await authorise(use_cases)
    payment = await only(store)
    first = payment.record(ids.new(), Operation.CAPTURE, "k-1", Money(1, "EUR"), payment.created_at)
    second = payment.record(ids.new(), Operation.CAPTURE, "k-2", Money(1, "EUR"), payment.created_at)

    async with store.transaction() as transaction:
        await transaction.add_attempt(payment, first)
    with pytest.raises(OperationInProgress):
        async with store.transaction() as transaction:
            await transaction.add_attempt(payment, second)


async def test_of_many_requests_with_one_key_exactly_one_reaches_the_provider(
    use_cases: UseCases, store: PostgresStore, provider: GatedProvider
) -> None:
    answers = await asyncio.gather(*(authorise(use_cases) for _ in range(16)), return_exceptions=True)

    replies = [reply for reply in answers if isinstance(reply, Reply)]
    refusals = [error for error in answers if isinstance(error, BaseException)]
    assert provider.calls == 1
    assert len({reply.answer for reply in replies}) == 1
    assert [reply.replayed for reply in replies].count(False) == 1
    assert all(isinstance(error, IdempotencyKeyInUse) for error in refusals)
    assert (await only(store)).state is State.AUTHORISED


async def test_settling_the_same_attempt_from_all_sides_counts_once(
    use_cases: UseCases, store: PostgresStore, provider: GatedProvider
) -> None:
    await authorise(use_cases, token="tok_reply_lost")
    attempt = (await only(store)).attempts[0]
    result = provider.done[attempt.id]
    due = await store.lease_due(attempt.created_at, lease_seconds=LEASE_SECONDS, limit=10)

    await asyncio.gather(
        *(use_cases.resolve(unsettled) for unsettled in [*due] * 4),
        *(use_cases.hear("provider", f"evt-{number}", result) for number in range(4)),
    )

    assert (await only(store)).authorised == Money(1250, "EUR")
    async with store.database.connection() as connection:
        assert (await store.outbox.backlog(connection)).waiting == 1


async def test_a_refused_operation_leaves_nothing_behind(use_cases: UseCases, store: PostgresStore) -> None:
    await authorise(use_cases, token="tok_insufficient_funds")
    payment = await only(store)
    for _ in range(2):  # the key stays free
        with pytest.raises(NotCapturable):
            await use_cases.capture(keyed("capture"), payment.id, None)

    assert await only(store) == payment


async def test_another_merchants_payment_is_not_found(use_cases: UseCases, store: PostgresStore) -> None:
    await authorise(use_cases)
    payment = await only(store)

    with pytest.raises(PaymentNotFound):
        await store.get("other", payment.id)
    assert await store.page("other", limit=10, after=None) == []


async def test_pages_go_from_new_to_old_without_a_gap(use_cases: UseCases, store: PostgresStore) -> None:
    for number in range(5):
        await authorise(use_cases, key=f"k-{number}")
    everything = await store.page("acme", limit=10, after=None)

    first = await store.page("acme", limit=2, after=None)
    rest = await store.page("acme", limit=10, after=first[-1].id)

    assert [*first, *rest] == everything
    assert [payment.id for payment in everything] == sorted(
        (payment.id for payment in everything), reverse=True
    )


async def test_an_unknown_attempt_is_due_at_once_and_leased_to_one_sweeper(
    use_cases: UseCases, store: PostgresStore, clock: ManualClock
) -> None:
    await authorise(use_cases, token="tok_reply_lost")

    leases = await asyncio.gather(
        *(store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10) for _ in range(4))
    )

    assert sorted(len(lease) for lease in leases) == [0, 0, 0, 1]


async def test_a_sweeper_never_waits_for_another_one(
    use_cases: UseCases, store: PostgresStore, clock: ManualClock, database_url: str
) -> None:
    await authorise(use_cases, token="tok_reply_lost")
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction(), asyncio.timeout(5):
            await other.execute("SELECT 1 FROM attempt FOR UPDATE")
            assert not await store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10)
    finally:
        await other.close()
    assert await store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10)


async def test_each_check_doubles_the_wait_for_the_next(
    use_cases: UseCases, store: PostgresStore, clock: ManualClock
) -> None:
    await authorise(use_cases, token="tok_reply_lost")

    async def is_due() -> bool:
        return bool(await store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10))

    assert await is_due()
    for wait in (30, 60, 120):
        clock.advance(wait - 1)
        assert not await is_due()
        clock.advance(1)
        assert await is_due()


async def test_a_pending_attempt_is_left_to_its_request_for_the_lease(
    use_cases: UseCases, store: PostgresStore, clock: ManualClock
) -> None:
    await authorise(use_cases)
    payment = await only(store)
    attempt = payment.capture(ids.new(), "k-1", None, clock.now())
    async with store.transaction() as transaction:
        await transaction.add_attempt(payment, attempt)

    clock.advance(LEASE_SECONDS - 1)
    assert not await store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10)
    clock.advance(1)
    (due,) = await store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10)
    assert due.attempt_id == attempt.id


async def test_a_settled_attempt_is_never_due(
    use_cases: UseCases, store: PostgresStore, clock: ManualClock
) -> None:
    await authorise(use_cases)
    assert (await only(store)).attempts[0].outcome is Outcome.SUCCEEDED

    clock.advance(86_400)
    assert not await store.lease_due(clock.now(), lease_seconds=LEASE_SECONDS, limit=10)


async def test_a_reference_that_is_none_of_ours_is_not_found(store: PostgresStore) -> None:
    async with store.transaction() as transaction:
        assert await transaction.find_attempt("order-1") is None
        assert await transaction.find_attempt(str(ids.new())) is None
