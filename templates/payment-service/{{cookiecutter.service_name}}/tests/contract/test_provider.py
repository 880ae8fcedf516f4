"""What the use cases rely on in a provider: one suite, run on the fake and on the processor's sandbox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from fakes import FakeProvider
from platform_lib import Money, RandomIds, UnknownOutcome
from platform_lib.clients import http_client
from platform_lib.config import Secret
from platform_lib.errors import NotSent
from platform_lib.sandbox import Sandbox

from {{ cookiecutter.package }}.adapters.provider import CardProvider
from {{ cookiecutter.package }}.domain.attempt import Attempt, Operation, Outcome
from {{ cookiecutter.package }}.ports import Provider

ids = RandomIds()


def new_attempt(operation: Operation = Operation.AUTHORISE, minor_units: int = 1250) -> Attempt:
    return Attempt(
        id=ids.new(),
        operation=operation,
        amount=Money(minor_units, "EUR"),
        idempotency_key="k-1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


async def authorised(provider: Provider, token: str = "tok_approved") -> str:
    authorisation = (await provider.authorise(new_attempt(), token)).authorisation
    assert authorisation is not None
    return authorisation


@pytest.fixture
async def card_provider(sandbox: Sandbox) -> AsyncIterator[CardProvider]:
    async with http_client("provider", sandbox.url) as http:
        yield CardProvider(http, sandbox.settings.api_key)


@pytest.fixture(params=["fake", "sandbox"])
def provider(request: pytest.FixtureRequest) -> Provider:
    if request.param == "fake":
        return FakeProvider()
    provider: CardProvider = request.getfixturevalue("card_provider")
    return provider


async def test_what_is_approved_is_exactly_what_was_asked(provider: Provider) -> None:
    attempt = new_attempt()

    result = await provider.authorise(attempt, "tok_approved")

    assert result.outcome is Outcome.SUCCEEDED
    assert attempt.checked(result) == result


@pytest.mark.parametrize(
    ("operations", "amount"),
    [
        ([Operation.CAPTURE], 1250),
        ([Operation.VOID], 1250),
        ([Operation.CAPTURE, Operation.REFUND], 250),
    ],
)
async def test_each_change_is_answered_about_itself(
    provider: Provider, operations: list[Operation], amount: int
) -> None:
    authorisation = await authorised(provider)
    for operation in operations:
        attempt = new_attempt(operation, amount)
        result = await provider.change(attempt, authorisation)

        assert result.outcome is Outcome.SUCCEEDED
        assert attempt.checked(result) == result


async def test_a_decline_has_the_banks_reason(provider: Provider) -> None:
    attempt = new_attempt()

    result = await provider.authorise(attempt, "tok_insufficient_funds")

    assert (result.outcome, result.code) == (Outcome.DECLINED, "insufficient_funds")
    assert attempt.checked(result) == result


async def test_a_refund_can_be_declined(provider: Provider) -> None:
    authorisation = await authorised(provider, "tok_refund_declined")
    await provider.change(new_attempt(Operation.CAPTURE), authorisation)

    result = await provider.change(new_attempt(Operation.REFUND), authorisation)

    assert (result.outcome, result.code) == (Outcome.DECLINED, "refund_not_permitted")


async def test_a_customer_who_has_to_confirm_is_sent_somewhere(provider: Provider) -> None:
    attempt = new_attempt()

    result = await provider.authorise(attempt, "tok_3ds_required")

    assert result.outcome is Outcome.ACTION_REQUIRED
    assert result.redirect_url
    assert attempt.checked(result) == result


async def test_a_rate_limited_request_did_nothing(provider: Provider) -> None:
    attempt = new_attempt()

    result = await provider.authorise(attempt, "tok_rate_limited")

    assert (result.outcome, result.code) == (Outcome.FAILED, "rate_limited")
    assert await provider.look_up(attempt.id) is None


async def test_asking_twice_with_one_reference_does_the_work_once(provider: Provider) -> None:
    attempt = new_attempt()

    assert await provider.authorise(attempt, "tok_approved") == await provider.authorise(
        attempt, "tok_approved"
    )


async def test_a_lost_reply_is_found_by_our_reference(provider: Provider) -> None:
    attempt = new_attempt()
    with pytest.raises(UnknownOutcome):
        await provider.authorise(attempt, "tok_reply_lost")

    result = await provider.look_up(attempt.id)

    assert result is not None
    assert result.outcome is Outcome.SUCCEEDED
    assert attempt.checked(result) == result


async def test_a_reference_that_was_never_seen_is_not_found(provider: Provider) -> None:
    assert await provider.look_up(ids.new()) is None


# What only a real wire can do.


@pytest.mark.parametrize("token", ["tok_error_after_success", "tok_malformed_reply"])
async def test_an_unusable_reply_is_an_unknown_outcome(card_provider: CardProvider, token: str) -> None:
    with pytest.raises(UnknownOutcome):
        await card_provider.authorise(new_attempt(), token)


async def test_another_amount_than_asked_is_noticed(card_provider: CardProvider) -> None:
    attempt = new_attempt()

    result = await card_provider.authorise(attempt, "tok_amount_mismatch")

    assert attempt.checked(result).code == "amount_mismatch"


async def test_an_operation_that_the_processor_refuses_failed_with_its_reason(
    card_provider: CardProvider,
) -> None:
    authorisation = await authorised(card_provider)

    result = await card_provider.change(new_attempt(Operation.CAPTURE, 1251), authorisation)

    assert (result.outcome, result.code) == (Outcome.FAILED, "capture_exceeds_authorisation")


async def test_a_key_that_the_processor_refuses_fails_the_operation(sandbox: Sandbox) -> None:
    async with http_client("provider", sandbox.url) as http:
        result = await CardProvider(http, Secret("wrong")).authorise(new_attempt(), "tok_approved")

    assert (result.outcome, result.code) == (Outcome.FAILED, "api_key_refused")


async def test_a_reused_reference_is_unknown_rather_than_failed(card_provider: CardProvider) -> None:
    attempt = new_attempt()
    await card_provider.authorise(attempt, "tok_approved")

    result = await card_provider.authorise(attempt, "tok_declined")

    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "http_409")


async def test_a_processor_that_is_away_was_not_sent_anything(
    free_tcp_port_factory: Callable[[], int],
) -> None:
    async with http_client("provider", f"http://127.0.0.1:{free_tcp_port_factory()}") as http:
        with pytest.raises(NotSent):
            await CardProvider(http, Secret("any")).authorise(new_attempt(), "tok_approved")


async def test_many_operations_at_once_keep_their_own_answers(card_provider: CardProvider) -> None:
    attempts = [new_attempt(minor_units=amount) for amount in range(1, 21)]

    results = await asyncio.gather(*(card_provider.authorise(one, "tok_approved") for one in attempts))

    assert [one.checked(result) for one, result in zip(attempts, results, strict=True)] == list(results)
