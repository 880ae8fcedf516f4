"""The provider API: read the request, call the use case, send its answer. No rule of the business is here."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from platform_lib import NotFound
from platform_lib.config import Secret
from platform_lib.frameworks.fastapi import StrictRoute, problem_responses

from card_connector.domain.operation import Kind
from card_connector.domain.refusals import (
    ApiKeyRefused,
    CaptureExceedsAuthorisation,
    CurrencyDiffers,
    NotCapturable,
    NotRefundable,
    NotVoidable,
    OperationRefused,
    OutcomeUnknown,
    ProcessorKeyRefused,
    ProcessorUnreachable,
    RateLimited,
    ReferenceReused,
    RefundExceedsCapture,
)
from card_connector.entrypoints.schemas import (
    NewAuthorisation,
    NewChange,
    NewVoid,
    OperationBody,
    Reference,
)
from card_connector.use_cases import UseCases

RULES = """\
One card processor, in the words of the platform: the API that payment services expect of a provider.

Every operation has a `reference` of the caller's own choice and is done once under it.
An answer below 500 that is no operation means that nothing was done; from 500 on only the processor knows,
and `GET /v1/operations/{reference}` asks it.
"""
BEARER = HTTPBearer(auto_error=False, description="The API key of the connector.")
ANY = (ApiKeyRefused, OutcomeUnknown)
ANY_CHANGE = (
    *ANY,
    RateLimited,
    ReferenceReused,
    OperationRefused,
    ProcessorUnreachable,
    ProcessorKeyRefused,
)


@dataclass(slots=True)
class CallersKey:
    """What payment services authenticate with; every version of it is accepted."""

    secret: Secret
    """Replaced when it is rotated."""

    def require(self, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]) -> None:
        """Let a caller pass who knows the key.

        Raises:
            ApiKeyRefused: anybody else.
        """
        if credentials is None or not self.secret.matches(credentials.credentials):
            raise ApiKeyRefused(
                "Send Authorization: Bearer and the connector's key.", headers={"WWW-Authenticate": "Bearer"}
            )


def routes(use_cases: UseCases, api_key: CallersKey) -> APIRouter:
    """Return the routes that payment services call, with *api_key*."""
    router = APIRouter(
        prefix="/v1", tags=["provider"], route_class=StrictRoute, dependencies=[Depends(api_key.require)]
    )
    created: dict[str, Any] = {"status_code": 201}

    @router.post(
        "/authorisations",
        summary="Hold an amount",
        description="A decline is an outcome: the operation is there, and its status is `declined`.",
        responses=problem_responses(*ANY_CHANGE),
        **created,
    )
    async def authorise(body: NewAuthorisation) -> OperationBody:
        return OperationBody.of(await use_cases.authorise(body.reference, body.amount.money(), body.token))

    @router.post(
        "/authorisations/{authorisation_id}/captures",
        summary="Take what is held, in part or in full",
        responses=problem_responses(
            *ANY_CHANGE, NotFound, NotCapturable, CaptureExceedsAuthorisation, CurrencyDiffers
        ),
        **created,
    )
    async def capture(authorisation_id: Reference, body: NewChange) -> OperationBody:
        return OperationBody.of(
            await use_cases.change(Kind.CAPTURE, authorisation_id, body.reference, body.amount.money())
        )

    @router.post(
        "/authorisations/{authorisation_id}/refunds",
        summary="Return what was captured, in part or in full",
        responses=problem_responses(
            *ANY_CHANGE, NotFound, NotRefundable, RefundExceedsCapture, CurrencyDiffers
        ),
        **created,
    )
    async def refund(authorisation_id: Reference, body: NewChange) -> OperationBody:
        return OperationBody.of(
            await use_cases.change(Kind.REFUND, authorisation_id, body.reference, body.amount.money())
        )

    @router.post(
        "/authorisations/{authorisation_id}/voids",
        summary="Release what is held",
        responses=problem_responses(*ANY_CHANGE, NotFound, NotVoidable),
        **created,
    )
    async def void(authorisation_id: Reference, body: NewVoid) -> OperationBody:
        return OperationBody.of(await use_cases.change(Kind.VOID, authorisation_id, body.reference))

    @router.get(
        "/operations/{reference}",
        summary="Read an operation by its reference",
        description="For a caller that lost the answer: 404 if no work was done under the reference.",
        responses=problem_responses(*ANY, NotFound),
    )
    async def read_operation(reference: Reference) -> OperationBody:
        return OperationBody.of(await use_cases.look_up(reference))

    return router
