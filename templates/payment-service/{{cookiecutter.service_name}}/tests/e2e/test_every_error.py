"""Every error that the description promises, of every operation: the body is the one described."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from merchant import authenticated
from platform_lib import ManualClock, Problem
from platform_lib.payments import WebhookSigner

from {{ cookiecutter.package }}.adapters.store import PostgresStore
from {{ cookiecutter.package }}.settings import PaymentsSettings
from {{ cookiecutter.package }}.use_cases import UseCases

DESCRIPTION = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
PAYMENT = UUID(int=7)
NEW_PAYMENT = {
    "amount": {"minor_units": 1250, "currency": "EUR"},
    "payment_token": "tok_approved",
    "merchant_reference": "order-1",
}
EVENT = {
    "type": "operation.approved",
    "id": "evt_1",
    "data": {
        "id": "op_1",
        "reference": str(PAYMENT),
        "kind": "authorisation",
        "status": "approved",
        "amount": NEW_PAYMENT["amount"],
        "authorisation_id": "auth_1",
        "decline_code": None,
        "redirect_url": None,
        "created_at": "2026-01-01T00:00:00Z",
    },
}
# What does the work of each operation, and a body that it takes.
WORK: dict[str, tuple[type, str, dict[str, Any] | None]] = {
    "post /v1/payments": (UseCases, "authorise", NEW_PAYMENT),
    "get /v1/payments": (PostgresStore, "page", None),
    "post /v1/payments/{payment_id}/capture": (UseCases, "capture", {}),
    "post /v1/payments/{payment_id}/void": (UseCases, "void", {}),
    "post /v1/payments/{payment_id}/refunds": (UseCases, "refund", {}),
    "get /v1/payments/{payment_id}": (PostgresStore, "get", None),
    "post /v1/provider-events": (UseCases, "hear", EVENT),
}
# Operations whose errors have a test of their own.
ELSEWHERE: set[str] = set()
TOO_LARGE = b" " * (1024 * 1024 + 1)
PLANTED = "4111111111111111"
# The header that is left out, or wrong, for a problem.
WRONG_HEADERS = {
    "idempotency_key_missing": {"Idempotency-Key": ""},
    "idempotency_key_invalid": {"Idempotency-Key": PLANTED},
    "unauthenticated": {"Authorization": f"Bearer {PLANTED}"},
    "unsupported_media_type": {"Content-Type": f"text/{PLANTED}"},
    "invalid_webhook": {"webhook-id": ""},
    "webhook_signature_mismatch": {"webhook-signature": f"v1,{PLANTED}"},
}


def promised(operation: str) -> Iterator[dict[str, Any]]:
    """Yield the example of each problem that *operation* is described with."""
    method, path = operation.split()
    for response in DESCRIPTION["paths"][path][method]["responses"].values():
        described = response.get("content", {}).get("application/problem+json", {})
        for example in described.get("examples", {}).values():
            yield example["value"]


def test_every_operation_is_asked() -> None:
    operations = {f"{method} {path}" for path, methods in DESCRIPTION["paths"].items() for method in methods}
    known = WORK.keys() | ELSEWHERE
    assert operations == known, "put yours into WORK, or into ELSEWHERE if your own tests ask for its errors"


@pytest.mark.parametrize("operation", list(WORK))
async def test_the_body_of_every_error_is_the_one_described(
    client: httpx2.AsyncClient, settings: PaymentsSettings, clock: ManualClock, operation: str
) -> None:
    def signed(content: bytes) -> dict[str, str]:
        return WebhookSigner(settings.provider.webhook_secret).sign("evt_1", clock.now(), content)

    for described in promised(operation):
        with pytest.MonkeyPatch.context() as monkeypatch:
            response = await provoked(described["code"], operation, client, signed, monkeypatch)

        where = f"{operation} {described['code']}"
        document = response.json()
        assert response.headers["content-type"] == "application/problem+json", where
        assert response.headers["cache-control"] == "no-store", where
        assert document["detail"], where
        for member in ("type", "title", "status", "code", "retryable"):
            assert document[member] == described[member], where
        assert document["status"] == response.status_code, where
        assert document.keys() >= described.keys(), where
        assert PLANTED not in response.text, where
        assert "retry-after" in response.headers or described["code"] != "unavailable", where


async def provoked(
    code: str,
    operation: str,
    client: httpx2.AsyncClient,
    signed: Callable[[bytes], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> httpx2.Response:
    """Return the answer to a request that is wrong, or whose work fails, in the way that *code* says."""
    method, path = operation.split()
    doer, work, body = WORK[operation]
    content = b"" if body is None else json.dumps(body).encode()
    headers = {**authenticated(), "Idempotency-Key": "key-1", "Content-Type": "application/json"}
    payment_id, query = str(PAYMENT), {}
    if code == "content_too_large":
        content = TOO_LARGE
    elif code == "invalid_request" and body is None:
        payment_id, query = PLANTED, {"limit": PLANTED}
    elif code == "invalid_request":
        content = json.dumps({PLANTED: PLANTED}).encode()
    elif code == "internal_error":
        monkeypatch.setattr(doer, work, raising(RuntimeError(f"the card {PLANTED} broke it")))
    elif code not in WRONG_HEADERS:
        monkeypatch.setattr(doer, work, raising(problem(code)(f"It was about {PLANTED}")))
    if path == "/v1/provider-events":
        headers |= signed(content)
    headers |= WRONG_HEADERS.get(code, {})
    sent = {name: value for name, value in headers.items() if value}
    target = path.format(payment_id=payment_id)
    return await client.request(method, target, params=query, headers=sent, content=content)


def problem(code: str) -> type[Problem]:
    """Return the class of *code*."""
    kinds = [Problem]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return next(kind for kind in kinds if kind.code == code)


def raising(error: Exception) -> Any:
    """Return what does the work, and fails."""

    async def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    return fail
