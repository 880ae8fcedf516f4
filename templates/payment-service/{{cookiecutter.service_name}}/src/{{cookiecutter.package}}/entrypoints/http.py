"""The HTTP API: read the request, call the use case, send its answer. No rule of the business is here."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Request as HttpRequest
from platform_lib.frameworks.fastapi import StrictRoute, merchant_id, problem_responses
from platform_lib.payments import (
    IDEMPOTENCY_KEY_PATTERN,
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    fingerprint,
    parse_key,
)

from {{ cookiecutter.package }}.domain.refusals import (
    CaptureExceedsAuthorisation,
    CurrencyDiffers,
    NotCapturable,
    NotRefundable,
    NotVoidable,
    OperationInProgress,
    PaymentNotFound,
    RefundExceedsCapture,
)
from {{ cookiecutter.package }}.entrypoints.schemas import (
    NewPayment,
    Nothing,
    PartOfPayment,
    PaymentBody,
    PaymentList,
)
from {{ cookiecutter.package }}.ports import Reply, Request, Store
from {{ cookiecutter.package }}.use_cases import UseCases

RULES = """\
Every `POST` needs an `Idempotency-Key`. The same key with the same request gets the first answer again, \
byte for byte, with `Idempotency-Replayed: true`; with another request it is refused. A request that is \
refused (4xx) leaves the key free: nothing was done, and the key may be used again.

`202` says that the outcome is unknown: the provider may have done it. Do not send the operation again under \
a new key; read the payment until its state is no longer `unknown`.
"""

MerchantId = Annotated[str, Depends(merchant_id)]


async def keyed_request(http_request: HttpRequest, merchant: MerchantId) -> Request:
    """Return who asks, and what makes a retry of the request recognisable."""
    return Request(
        merchant_id=merchant,
        key=parse_key(http_request.headers.getlist("Idempotency-Key")),
        fingerprint=fingerprint(http_request.method, http_request.url.path, await http_request.body()),
    )


KeyedRequest = Annotated[Request, Depends(keyed_request)]

# Read by hand, because a missing or a second header has an answer of its own.
KEY_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "New for each operation, the same for its retries; an RFC 8941 string, or bare. "
            "Keys are stored: one that looks like a card number or a secret is refused.",
            "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN},
        }
    ]
}
KEY_PROBLEMS = (IdempotencyKeyMissing, IdempotencyKeyInvalid, IdempotencyKeyReused, IdempotencyKeyInUse)
REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` if the request was answered before.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


def answers(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """Describe the answers of an operation: its outcome, or that the outcome is unknown."""
    return {
        status: {"model": PaymentBody, "description": description, "headers": REPLAYED},
        202: {"model": PaymentBody, "description": "The outcome is unknown.", "headers": REPLAYED},
    }


def routes(use_cases: UseCases, store: Store) -> APIRouter:
    """Return the routes that merchants call."""
    router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=StrictRoute)

    @router.post(
        "",
        summary="Authorise a payment",
        description="A decline is an outcome: the payment is created, and its state is `declined`.",
        status_code=201,
        response_class=Response,
        responses={**answers(201, "The payment, whatever its outcome."), **problem_responses(*KEY_PROBLEMS)},
        openapi_extra=KEY_PARAMETER,
    )
    async def authorise(request: KeyedRequest, body: NewPayment) -> Response:
        return sent(
            await use_cases.authorise(
                request,
                amount=body.amount.money(),
                payment_token=body.payment_token,
                merchant_reference=body.merchant_reference,
            )
        )

    @router.post(
        "/{payment_id}/capture",
        summary="Capture a payment, in part or in full",
        response_class=Response,
        responses={
            **answers(200, "The payment after the capture."),
            **problem_responses(
                *KEY_PROBLEMS,
                PaymentNotFound,
                OperationInProgress,
                NotCapturable,
                CaptureExceedsAuthorisation,
                CurrencyDiffers,
            ),
        },
        openapi_extra=KEY_PARAMETER,
    )
    async def capture(request: KeyedRequest, payment_id: UUID, body: PartOfPayment | None = None) -> Response:
        amount = body.amount.money() if body and body.amount else None
        return sent(await use_cases.capture(request, payment_id, amount))

    @router.post(
        "/{payment_id}/void",
        summary="Release what is held",
        response_class=Response,
        responses={
            **answers(200, "The payment after the void."),
            **problem_responses(*KEY_PROBLEMS, PaymentNotFound, OperationInProgress, NotVoidable),
        },
        openapi_extra=KEY_PARAMETER,
    )
    async def void(request: KeyedRequest, payment_id: UUID, _body: Nothing | None = None) -> Response:
        return sent(await use_cases.void(request, payment_id))

    @router.post(
        "/{payment_id}/refunds",
        summary="Return captured money, in part or in full",
        response_class=Response,
        responses={
            **answers(200, "The payment after the refund."),
            **problem_responses(
                *KEY_PROBLEMS,
                PaymentNotFound,
                OperationInProgress,
                NotRefundable,
                RefundExceedsCapture,
                CurrencyDiffers,
            ),
        },
        openapi_extra=KEY_PARAMETER,
    )
    async def refund(request: KeyedRequest, payment_id: UUID, body: PartOfPayment | None = None) -> Response:
        amount = body.amount.money() if body and body.amount else None
        return sent(await use_cases.refund(request, payment_id, amount))

    @router.get("/{payment_id}", summary="Read a payment", responses=problem_responses(PaymentNotFound))
    async def read(merchant: MerchantId, payment_id: UUID) -> PaymentBody:
        return PaymentBody.of(await store.get(merchant, payment_id))

    @router.get("", summary="List payments, newest first")
    async def list_payments(
        merchant: MerchantId,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    ) -> PaymentList:
        page = await store.page(merchant, limit=limit + 1, after=after)
        shown = page[:limit]
        return PaymentList(
            payments=[PaymentBody.of(payment) for payment in shown],
            next=str(shown[-1].id) if len(page) > limit else None,
        )

    return router


def sent(reply: Reply) -> Response:
    """Return the stored answer as it is."""
    headers = {"Idempotency-Replayed": "true"} if reply.replayed else None
    return Response(reply.answer.body, reply.answer.status, headers, media_type="application/json")
