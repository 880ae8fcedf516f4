"""The use cases on fakes: which steps are taken, in which order, and what is left when one fails."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from fakes import FakeProvider, FakeStore
from platform_lib import ManualClock, Money, SequentialIds
from platform_lib.errors import NotSent
from platform_lib.payments import IdempotencyKeyInUse, IdempotencyKeyReused

from payments.domain.attempt import Attempt, Outcome, Result
from payments.domain.payment import Payment, State
from payments.domain.refusals import (
    CaptureExceedsAuthorisation,
    PaymentNotFound,
)
from payments.entrypoints.schemas import answer
from payments.ports import Reply, Request, Unsettled
from payments.use_cases import UseCases

NOT_FOUND_AFTER = timedelta(minutes=5)
ACME = Request(merchant_id="acme", key="k-1", fingerprint=b"1")


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def use_cases(store: FakeStore, provider: FakeProvider, clock: ManualClock, ids: SequentialIds) -> UseCases:
    return UseCases(
        store=store, provider=provider, render=answer, clock=clock, ids=ids, not_found_after=NOT_FOUND_AFTER
    )


def keyed(key: str) -> Request:
    return replace(ACME, key=key)


async def authorise(use_cases: UseCases, token: str = "tok_approved", request: Request = ACME) -> Reply:
    return await use_cases.authorise(
        request, amount=Money(1250, "EUR"), payment_token=token, merchant_reference="order-1"
    )


def only(store: FakeStore) -> Payment:
    (payment,) = store.payments.values()
    return payment


def unsettled(payment: Payment) -> Unsettled:
    return Unsettled(
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        attempt_id=payment.attempts[-1].id,
        created_at=payment.attempts[-1].created_at,
    )


async def test_the_intent_is_stored_before_the_provider_is_asked(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Attempt] = []

    async def look(attempt: Attempt, payment_token: str) -> Result:
        assert not store.in_transaction
        seen.extend(only(store).attempts)
        return Result.failed("never_mind")

    monkeypatch.setattr(provider, "authorise", look)
    await authorise(use_cases)

    assert [attempt.outcome for attempt in seen] == [Outcome.PENDING]


async def test_an_authorisation_is_answered_201_and_published(use_cases: UseCases, store: FakeStore) -> None:
    reply = await authorise(use_cases)

    assert reply.answer.status == 201
    assert only(store).state is State.AUTHORISED
    assert [event.type for event in store.events] == ["payment.authorised"]


async def test_a_decline_is_answered_201_too(use_cases: UseCases, store: FakeStore) -> None:
    reply = await authorise(use_cases, "tok_insufficient_funds")

    assert reply.answer.status == 201
    assert only(store).state is State.DECLINED


async def test_the_same_request_again_gets_the_first_answer_without_a_second_call(
    use_cases: UseCases, provider: FakeProvider
) -> None:
    first = await authorise(use_cases)
    second = await authorise(use_cases)

    assert second == Reply(first.answer, replayed=True)
    assert provider.calls == 1


async def test_the_key_of_another_request_is_refused(use_cases: UseCases) -> None:
    await authorise(use_cases)

    with pytest.raises(IdempotencyKeyReused):
        await authorise(use_cases, request=replace(ACME, fingerprint=b"2"))


async def test_a_refused_operation_leaves_its_key_free(use_cases: UseCases, store: FakeStore) -> None:
    await authorise(use_cases)
    with pytest.raises(CaptureExceedsAuthorisation):
        await use_cases.capture(keyed("k-2"), only(store).id, Money(1251, "EUR"))

    reply = await use_cases.capture(keyed("k-2"), only(store).id, Money(1250, "EUR"))

    assert (reply.answer.status, reply.replayed) == (200, False)


async def test_another_merchants_payment_does_not_exist(use_cases: UseCases, store: FakeStore) -> None:
    await authorise(use_cases)

    with pytest.raises(PaymentNotFound):
        await use_cases.void(replace(ACME, merchant_id="other"), only(store).id)


async def test_a_rate_limited_authorisation_failed(use_cases: UseCases, store: FakeStore) -> None:
    reply = await authorise(use_cases, "tok_rate_limited")

    assert reply.answer.status == 201
    assert only(store).state is State.FAILED
    assert only(store).attempts[0].code == "rate_limited"


async def test_an_operation_that_never_left_failed(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(attempt: Attempt, payment_token: str) -> Result:
        raise NotSent("provider", "cannot_connect")

    monkeypatch.setattr(provider, "authorise", refuse)
    await authorise(use_cases)

    assert only(store).state is State.FAILED
    assert only(store).attempts[0].code == "provider_unreachable"


async def test_a_lost_reply_is_answered_202_and_stays_so_for_that_key(
    use_cases: UseCases, store: FakeStore
) -> None:
    first = await authorise(use_cases, "tok_reply_lost")
    assert first.answer.status == 202
    assert only(store).state is State.UNKNOWN

    await use_cases.resolve(unsettled(only(store)))

    assert only(store).state is State.AUTHORISED
    assert await authorise(use_cases, "tok_reply_lost") == Reply(first.answer, replayed=True)


async def test_an_outcome_that_becomes_unknown_is_logged_with_its_reason(
    use_cases: UseCases, store: FakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    await authorise(use_cases, "tok_reply_lost")

    (attempt,) = only(store).attempts
    assert f"attempt {attempt.id} has an unknown outcome: {attempt.code}" in caplog.messages


async def test_a_crash_after_the_intent_is_driven_to_an_answer(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(attempt: Attempt, payment_token: str) -> Result:
        await FakeProvider.authorise(provider, attempt, payment_token)
        raise KeyboardInterrupt

    monkeypatch.setattr(provider, "authorise", crash)
    with pytest.raises(KeyboardInterrupt):
        await authorise(use_cases)
    with pytest.raises(IdempotencyKeyInUse):
        await authorise(use_cases)

    await use_cases.resolve(unsettled(only(store)))

    assert only(store).state is State.AUTHORISED
    reply = await authorise(use_cases)
    assert (reply.answer.status, reply.replayed) == (201, True)


async def test_absence_at_the_provider_proves_failure_only_after_a_while(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, clock: ManualClock
) -> None:
    await authorise(use_cases, "tok_reply_lost")
    provider.done.clear()

    clock.advance(NOT_FOUND_AFTER.total_seconds() - 1)
    await use_cases.resolve(unsettled(only(store)))
    assert only(store).state is State.UNKNOWN

    clock.advance(1)
    await use_cases.resolve(unsettled(only(store)))
    assert only(store).state is State.FAILED
    assert only(store).attempts[0].code == "not_found_at_provider"


async def test_a_question_that_cannot_be_asked_proves_nothing(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(reference: UUID) -> Result | None:
        raise NotSent("provider", "cannot_connect")

    await authorise(use_cases, "tok_reply_lost")
    monkeypatch.setattr(provider, "look_up", refuse)
    await use_cases.resolve(unsettled(only(store)))

    assert only(store).state is State.UNKNOWN


async def test_a_webhook_that_comes_first_gives_the_answer(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def webhook_first(attempt: Attempt, payment_token: str) -> Result:
        result = await FakeProvider.authorise(provider, attempt, payment_token)
        await use_cases.hear("provider", "evt-1", result)
        await use_cases.capture(keyed("k-2"), only(store).id, None)
        return result

    monkeypatch.setattr(provider, "authorise", webhook_first)
    reply = await authorise(use_cases)

    assert only(store).state is State.CAPTURED
    assert b'"state":"authorised"' in reply.answer.body
    assert (await authorise(use_cases)).answer == reply.answer


async def test_a_slow_request_gives_the_answer_that_the_sweeper_stored_meanwhile(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def swept_meanwhile(attempt: Attempt, payment_token: str) -> Result:
        await use_cases.resolve(unsettled(only(store)))
        return await FakeProvider.authorise(provider, attempt, payment_token)

    monkeypatch.setattr(provider, "authorise", swept_meanwhile)
    reply = await authorise(use_cases)

    assert reply.answer.status == 202
    assert (await authorise(use_cases)).answer == reply.answer
    assert only(store).state is State.AUTHORISED


async def test_an_event_is_heard_once_and_one_about_nothing_is_ignored(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider
) -> None:
    await authorise(use_cases, "tok_reply_lost")
    result = provider.done[only(store).attempts[0].id]

    await use_cases.hear("provider", "evt-1", replace(result, reference="not-ours"))
    await use_cases.hear("provider", "evt-2", result)
    await use_cases.hear("provider", "evt-2", result)

    assert [event.type for event in store.events] == ["payment.authorised"]


async def test_a_provider_that_changes_its_mind_is_reported_and_changes_nothing(
    use_cases: UseCases, store: FakeStore, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    await authorise(use_cases)
    result = provider.done[only(store).attempts[0].id]

    await use_cases.hear("provider", "evt-1", replace(result, outcome=Outcome.DECLINED))

    assert only(store).state is State.AUTHORISED
    assert "is succeeded, now the provider says declined" in caplog.text
