"""The processor tells us → the payment service hears of it, in the platform's words and signature."""

import httpx2
import pytest
from caller import Caller
from processor import WEBHOOKS, Processor
from receiver import Receiver


async def test_a_confirmed_authorisation_is_passed_on(
    caller: Caller, processor_calls: Processor, receiver: Receiver
) -> None:
    # Given an authorisation that the customer has to confirm
    waiting = (await caller.authorise("tok_3ds_required", reference="once")).json()
    assert waiting["status"] == "action_required"
    assert receiver.heard == []

    # When the customer does, and the processor tells of it twice
    operation = await processor_calls.confirm(waiting["authorisation_id"])
    assert await processor_calls.tell(operation) == 200

    # Then the payment service heard it under one id, as it would read it from us
    (first_id, first), (second_id, second) = receiver.heard
    assert (first_id, first) == (second_id, second)
    assert (first["type"], first["id"]) == ("operation.approved", first_id)
    assert first["data"] == (await caller.look_up("once")).json()


async def test_an_event_that_the_payment_service_does_not_take_comes_again(
    caller: Caller, processor_calls: Processor, receiver: Receiver
) -> None:
    operation = processor_calls.ledger.operations((await caller.authorise()).json()["reference"])[0]

    for refusal in (500, 401, 301):
        receiver.refuses_with = refusal
        assert await processor_calls.tell(operation) == 503
    receiver.refuses_with = None

    assert await processor_calls.tell(operation) == 200
    assert len(receiver.heard) == 1


async def test_an_event_without_a_final_outcome_is_not_passed_on(
    caller: Caller, processor_calls: Processor, receiver: Receiver
) -> None:
    waiting = (await caller.authorise("tok_3ds_required")).json()
    operation = processor_calls.ledger.operations(waiting["reference"])[0]

    assert await processor_calls.tell(operation) == 200
    assert receiver.heard == []


async def test_what_the_processor_did_not_sign_is_not_believed(
    caller: Caller, client: httpx2.AsyncClient, receiver: Receiver
) -> None:
    refused = [
        await client.post(WEBHOOKS, content=b"{}"),
        await client.post(WEBHOOKS, content=b"{}", headers={"Kestrel-Signature": f"t=1,v1={'a' * 64}"}),
    ]

    assert [response.json()["code"] for response in refused] == ["invalid_webhook"] * 2
    assert receiver.heard == []


@pytest.mark.parametrize("body", [b"[]", b'{"eventId": 1}'])
async def test_a_body_that_is_no_event_is_refused_although_it_is_signed(
    caller: Caller, processor_calls: Processor, body: bytes
) -> None:
    operation = processor_calls.ledger.operations((await caller.authorise()).json()["reference"])[0]

    assert await processor_calls.tell(operation, body=body) == 422
