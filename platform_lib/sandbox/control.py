"""The sandbox's own controls, which no real processor has: look inside, move the clock, start afresh."""

# No deferred annotations here: FastAPI reads them when a route is declared.
from fastapi import APIRouter

from platform_lib.clock import ManualClock
from platform_lib.errors import ConfigError
from platform_lib.sandbox.api import TheProcessor
from platform_lib.sandbox.processor import Processor
from platform_lib.sandbox.refusals import ClockRunsByItself, NothingToSignWith
from platform_lib.sandbox.schemas import (
    AuthorisationDocument,
    ClockAdvance,
    DeliveryDocument,
    StateDocument,
    WebhookTarget,
    timestamp,
)

controls = APIRouter(prefix="/sandbox", tags=["sandbox"])


@controls.get("/state")
async def read_state(processor: TheProcessor) -> StateDocument:
    """Return every authorisation, operation and webhook: the oracle for tests."""
    return _state(processor)


@controls.post("/clock/advance")
async def advance_clock(processor: TheProcessor, body: ClockAdvance) -> StateDocument:
    """Move the manual clock on; answers once every webhook that became due was tried."""
    if not isinstance(processor.clock, ManualClock):
        raise ClockRunsByItself("It runs on the machine's time; start the sandbox with a manual clock.")
    processor.clock.advance(body.seconds)
    await processor.webhooks.quiet()
    return _state(processor)


@controls.put("/webhooks")
async def set_webhook_target(processor: TheProcessor, body: WebhookTarget) -> StateDocument:
    """Send webhooks to another address from now on, also those that wait for a retry."""
    try:
        processor.webhooks.send_to(body.url)
    except ConfigError as error:
        raise NothingToSignWith("Start the sandbox with a webhook secret (whsec_…).") from error
    return _state(processor)


@controls.post("/reset")
async def reset(processor: TheProcessor) -> StateDocument:
    """Forget every authorisation and drop every webhook; time goes on."""
    await processor.webhooks.clear()
    processor.ledger.clear()
    return _state(processor)


def _state(processor: Processor) -> StateDocument:
    return StateDocument(
        now=timestamp(processor.clock.now()),
        authorisations=[
            AuthorisationDocument.of(one, processor.base_url) for one in processor.ledger.authorisations()
        ],
        webhooks=[DeliveryDocument.of(one) for one in processor.webhooks.deliveries],
    )
