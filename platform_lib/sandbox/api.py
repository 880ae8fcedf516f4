"""The processor's HTTP API: what a payment service calls."""

# No deferred annotations here: FastAPI reads them when a route is declared.
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from platform_lib.config import Secret
from platform_lib.sandbox.challenge_page import challenge_page
from platform_lib.sandbox.processor import Processor
from platform_lib.sandbox.refusals import ApiKeyRefused
from platform_lib.sandbox.schemas import (
    AmountRequest,
    AuthorisationDocument,
    AuthorisationRequest,
    ChallengeAnswer,
    OperationDocument,
    OperationsDocument,
    Reference,
    VoidRequest,
)


def _processor(request: Request) -> Processor:
    processor: Processor = request.app.state.processor
    return processor


_bearer = HTTPBearer(auto_error=False, description="The API key that the sandbox was started with.")


def _require_api_key(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> None:
    key: Secret = request.app.state.api_key
    if credentials is None or not key.matches(credentials.credentials):
        raise ApiKeyRefused


TheProcessor = Annotated[Processor, Depends(_processor)]

_done_before: dict[int | str, dict[str, Any]] = {
    200: {"model": OperationDocument, "description": "The same was done before under this reference."}
}

operations = APIRouter(prefix="/v1", tags=["operations"], dependencies=[Depends(_require_api_key)])
# The customer answers a challenge from a browser, where no API key is at hand.
challenges = APIRouter(prefix="/v1/challenges", tags=["challenges"])


@operations.post("/authorisations", status_code=201, response_model=OperationDocument, responses=_done_before)
async def authorise(processor: TheProcessor, body: AuthorisationRequest) -> Response:
    """Reserve an amount; the token decides what happens (see the table above).

    The same reference with the same content returns the same operation with 200; with other content, 409.
    """
    return await processor.authorise(body.reference, body.amount.money(), body.token)


@operations.post(
    "/authorisations/{authorisation_id}/captures",
    status_code=201,
    response_model=OperationDocument,
    responses=_done_before,
)
async def capture(processor: TheProcessor, authorisation_id: str, body: AmountRequest) -> Response:
    """Take the amount or a part of it; captures beyond the authorised amount are refused with 422."""
    return await processor.capture(authorisation_id, body.reference, body.amount.money())


@operations.post(
    "/authorisations/{authorisation_id}/refunds",
    status_code=201,
    response_model=OperationDocument,
    responses=_done_before,
)
async def refund(processor: TheProcessor, authorisation_id: str, body: AmountRequest) -> Response:
    """Return what was captured or a part of it; refunds beyond the captured amount are refused with 422."""
    return await processor.refund(authorisation_id, body.reference, body.amount.money())


@operations.post(
    "/authorisations/{authorisation_id}/voids",
    status_code=201,
    response_model=OperationDocument,
    responses=_done_before,
)
async def void(processor: TheProcessor, authorisation_id: str, body: VoidRequest) -> Response:
    """Release the reserved amount; only possible before the first capture."""
    return await processor.void(authorisation_id, body.reference)


@operations.get("/authorisations/{authorisation_id}")
async def read_authorisation(processor: TheProcessor, authorisation_id: str) -> AuthorisationDocument:
    """Return an authorisation with its sums and operations."""
    return AuthorisationDocument.of(processor.ledger.authorisation(authorisation_id), processor.base_url)


@operations.get("/operations")
async def list_operations(
    processor: TheProcessor, reference: Annotated[Reference | None, Query()] = None
) -> OperationsDocument:
    """Return the operations, oldest first; with a reference, the one that was done under it, if any.

    This is how a caller that lost an answer learns what happened.
    """
    found = processor.ledger.operations(reference)
    return OperationsDocument(operations=[processor.render(operation) for operation in found])


@operations.get("/operations/{reference}")
async def read_operation(processor: TheProcessor, reference: str) -> OperationDocument:
    """Return the operation that was done under the reference, or 404 if no work was done."""
    return processor.render(processor.ledger.operation(reference))


@challenges.get("/{authorisation_id}", response_class=HTMLResponse)
async def show_challenge(processor: TheProcessor, authorisation_id: str) -> HTMLResponse:
    """Show the customer's challenge as a page with two buttons; `redirect_url` points here."""
    return HTMLResponse(challenge_page(processor.ledger.authorisation(authorisation_id)))


@challenges.post("/{authorisation_id}", response_model=OperationDocument)
async def answer_challenge(processor: TheProcessor, authorisation_id: str, body: ChallengeAnswer) -> Response:
    """Play the customer: approve or decline; the caller learns of it by webhook."""
    return await processor.answer_challenge(authorisation_id, body.outcome)
