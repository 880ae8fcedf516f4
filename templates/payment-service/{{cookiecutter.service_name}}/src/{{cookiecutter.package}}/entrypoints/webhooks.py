"""Webhooks of the provider: verify, translate, and let the use case settle."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi import Request as HttpRequest
from platform_lib import InvalidRequest
from platform_lib.frameworks.fastapi import problem_responses
from platform_lib.payments import InvalidWebhook, WebhookSignatureMismatch, WebhookVerifier
from platform_lib.service import ContentTooLarge

from {{ cookiecutter.package }}.adapters.provider import read_event
from {{ cookiecutter.package }}.use_cases import UseCases

SOURCE = "provider"
PATH = "/v1/provider-events"  # public: what is heard there is believed for its signature
# Read by the verifier, from the raw request.
SIGNATURE_PARAMETERS: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
}


def routes(use_cases: UseCases, verifier: WebhookVerifier) -> APIRouter:
    """Return the route that the provider calls."""
    router = APIRouter(tags=["provider"])

    @router.post(
        PATH,
        summary="Hear from the provider",
        description=(
            "Signed by Standard Webhooks. An event that was heard before, or that is about an operation "
            "unknown here, is answered 200 and changes nothing."
        ),
        response_class=Response,
        responses={
            200: {"description": "Heard."},
            **problem_responses(InvalidWebhook, WebhookSignatureMismatch, InvalidRequest, ContentTooLarge),
        },
        openapi_extra=SIGNATURE_PARAMETERS,
    )
    async def hear(request: HttpRequest) -> Response:
        body = await request.body()
        webhook = verifier.verify(request.headers, body)
        await use_cases.hear(SOURCE, webhook.id, read_event(body))
        return Response(status_code=200)

    return router
