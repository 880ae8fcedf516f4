"""Webhooks of the processor: verify, translate, and let the use case pass them on."""

from typing import Any

from fastapi import APIRouter, Request, Response
from platform_lib import InvalidRequest
from platform_lib.frameworks.fastapi import problem_responses
from platform_lib.payments import InvalidWebhook, WebhookSignatureMismatch
from platform_lib.service import ContentTooLarge

from {{ cookiecutter.package }}.adapters.processor import read_event
from {{ cookiecutter.package }}.adapters.signature import HEADER, ProcessorSignature
from {{ cookiecutter.package }}.domain.refusals import ReceiverUnreachable
from {{ cookiecutter.package }}.use_cases import UseCases

# Read from the raw request, before anything else of it is believed.
SIGNATURE_PARAMETER: dict[str, Any] = {
    "parameters": [{"name": HEADER, "in": "header", "required": True, "schema": {"type": "string"}}]
}


def routes(use_cases: UseCases, signature: ProcessorSignature) -> APIRouter:
    """Return the route that the processor calls."""
    router = APIRouter(tags=["processor"])

    @router.post(
        "/v1/processor-events",
        summary="Hear from the processor",
        description="200 once the payment service has taken the event; else it is to be sent again.",
        response_class=Response,
        responses={
            200: {"description": "Heard."},
            **problem_responses(
                InvalidWebhook, WebhookSignatureMismatch, InvalidRequest, ContentTooLarge, ReceiverUnreachable
            ),
        },
        openapi_extra=SIGNATURE_PARAMETER,
    )
    async def hear(request: Request) -> Response:
        body = await request.body()
        signature.verify(request.headers.get(HEADER, ""), body)
        if (event := read_event(body)) is not None:
            await use_cases.hear(event)
        return Response(status_code=200)

    return router
