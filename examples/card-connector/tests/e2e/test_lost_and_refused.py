"""What a caller may conclude: below 500 nothing was done, from 500 on nobody knows."""

from collections.abc import Callable

import pytest
from caller import Caller
from platform_lib.config import Secret
from platform_lib.testing import CapturedSpans
from processor import Processor

from card_connector.adapters.processor import KestrelProcessor
from card_connector.settings import ConnectorSettings
from card_connector.wiring import Wired


@pytest.mark.parametrize(
    "token", ["tok_reply_lost", "tok_error_after_success", "tok_malformed_reply", "tok_slow"]
)
async def test_a_lost_reply_is_unknown_and_found_by_its_reference(
    caller: Caller, processor: Processor, token: str
) -> None:
    lost = await caller.authorise(token, reference="once")

    assert (lost.status_code, lost.json()["code"]) == (504, "outcome_unknown")
    found = await caller.look_up("once")
    assert (found.status_code, found.json()["status"]) == (200, "approved")
    assert len(processor.ledger.authorisations()) == 1


@pytest.mark.parametrize("change", ["captures", "refunds"])
async def test_a_lost_reply_to_a_change_is_unknown_too(caller: Caller, change: str) -> None:
    token = {"captures": "tok_capture_reply_lost", "refunds": "tok_refund_reply_lost"}[change]
    path = f"/v1/authorisations/{(await caller.authorise(token)).json()['authorisation_id']}"
    if change == "refunds":
        await caller.post(f"{path}/captures")

    lost = await caller.post(f"{path}/{change}", reference="once")

    assert (lost.status_code, lost.json()["code"]) == (504, "outcome_unknown")
    assert (await caller.look_up("once")).json()["status"] == "approved"


async def test_the_reference_is_the_processors_idempotency_key(caller: Caller, processor: Processor) -> None:
    await caller.authorise("tok_reply_lost", reference="once")
    again = await caller.authorise("tok_reply_lost", reference="once")

    assert again.json()["status"] == "approved"
    assert processor.keys == ["once", "once"]
    assert len(processor.ledger.authorisations()) == 1


async def test_a_processor_that_is_away_did_nothing(
    caller: Caller, wired: Wired, settings: ConnectorSettings, free_tcp_port_factory: Callable[[], int]
) -> None:
    processor = wired.use_cases.processor
    assert isinstance(processor, KestrelProcessor)
    processor.http._url = f"http://127.0.0.1:{free_tcp_port_factory()}"  # noqa: SLF001  # where nobody listens

    refused = await caller.authorise()
    found = await caller.look_up("order-1")

    assert (refused.status_code, refused.json()["code"]) == (424, "processor_unreachable")
    assert (found.status_code, found.json()["code"]) == (504, "outcome_unknown")


async def test_a_key_that_the_processor_refuses_is_our_fault_and_nothing_was_done(
    caller: Caller, wired: Wired
) -> None:
    processor = wired.use_cases.processor
    assert isinstance(processor, KestrelProcessor)
    processor.api_key = Secret("another")

    refused = await caller.authorise()

    assert (refused.status_code, refused.json()["code"]) == (424, "processor_key_refused")


async def test_a_processors_other_amount_is_passed_on_for_the_caller_to_notice(caller: Caller) -> None:
    answered = await caller.authorise("tok_amount_mismatch")

    assert answered.json()["amount"] == {"minor_units": 1251, "currency": "EUR"}


async def test_a_token_that_the_processor_does_not_know_is_refused(caller: Caller) -> None:
    refused = await caller.authorise("tok_none")

    assert (refused.status_code, refused.json()["code"]) == (422, "operation_refused")


async def test_one_trace_leads_from_the_caller_to_the_processor(caller: Caller, spans: CapturedSpans) -> None:
    await caller.authorise()

    spans.assert_path("POST /v1/authorisations", "authorise", "authorise at processor")
