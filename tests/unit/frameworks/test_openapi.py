"""The API's description tells the truth about errors."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from platform_lib import InvalidRequest, NotFound
from platform_lib.frameworks.fastapi import StrictRoute, create_app, problem_responses
from platform_lib.service import Service, ServiceSettings
from tests.unit.frameworks.orders import KeyReused, make_app, make_service


class Lenient(BaseModel):
    units: int


@pytest.fixture
def description() -> dict[str, Any]:
    app: FastAPI = make_app(make_service())
    return app.openapi()


def examples(responses: dict[Any, Any], status: str) -> set[str]:
    [(media_type, content)] = responses[status]["content"].items()
    assert media_type == "application/problem+json"
    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    return set(content["examples"])


def test_nothing_is_left_of_the_framework_s_own_error_body(description: dict[str, Any]) -> None:
    text = json.dumps(description)

    assert "ValidationError" not in text
    assert "Problem" in description["components"]["schemas"]


def test_an_operation_documents_its_own_problems_beside_those_of_the_platform(
    description: dict[str, Any],
) -> None:
    responses = description["paths"]["/v1/orders"]["post"]["responses"]

    assert list(responses) == ["201", "413", "415", "422", "500", "503"]
    assert examples(responses, "422") == {"idempotency_key_reused", "invalid_request"}
    assert examples(responses, "413") == {"content_too_large"}
    assert examples(responses, "415") == {"unsupported_media_type"}
    assert examples(responses, "500") == {"internal_error"}
    assert examples(responses, "503") == {"unavailable"}


def test_an_operation_without_parameters_does_not_claim_to_refuse_them(description: dict[str, Any]) -> None:
    assert list(description["paths"]["/v1/crash"]["get"]["responses"]) == ["200", "500", "503"]


def test_an_operation_without_a_body_does_not_claim_to_refuse_one(description: dict[str, Any]) -> None:
    responses = description["paths"]["/v1/orders/{order_id}"]["get"]["responses"]

    assert list(responses) == ["200", "404", "422", "500", "503"]


def test_problems_of_one_status_share_a_response() -> None:
    responses = problem_responses(KeyReused, InvalidRequest, NotFound)

    assert list(responses) == [422, 404]
    assert responses[422]["description"] == (
        "The idempotency key was used for another request; The request is not valid"
    )
    example = responses[422]["content"]["application/problem+json"]["examples"]["idempotency_key_reused"][
        "value"
    ]
    assert example == {
        "type": "urn:problem:idempotency-key-reused",
        "title": "The idempotency key was used for another request",
        "status": 422,
        "code": "idempotency_key_reused",
        "detail": "The idempotency key was used for another request",
        "retryable": False,
    }


async def test_every_documented_member_is_what_an_answer_has(
    http: httpx2.AsyncClient, description: dict[str, Any]
) -> None:
    schema = description["components"]["schemas"]["Problem"]
    answer = (await http.post("/v1/orders", json={})).json()

    assert set(schema["required"]) <= set(answer) <= set(schema["properties"])


def test_a_router_that_reads_json_leniently_is_refused() -> None:
    inner = APIRouter(prefix="/inner")

    @inner.post("/lenient")
    async def lenient(body: Lenient) -> int:
        return body.units

    outer = APIRouter(prefix="/outer", route_class=StrictRoute)
    outer.include_router(inner)

    with pytest.raises(
        ValueError, match=r"/inner/lenient: the route reads JSON leniently.*route_class=StrictRoute"
    ):
        create_app(make_service(), title="Orders", version="1", routers=[outer])


def test_a_route_put_on_the_application_itself_is_strict() -> None:
    app = create_app(make_service(), title="Orders", version="1")

    @app.get("/there")
    async def there() -> int:
        return 1

    assert isinstance(app.routes[-1], StrictRoute)


def test_interactive_documentation_is_for_development_only() -> None:
    def paths(service: Service) -> set[str]:
        app = create_app(service, title="Orders", version="1")
        return {getattr(route, "path", "") for route in app.routes}

    assert "/docs" in paths(Service("orders", ServiceSettings()))
    assert "/docs" not in paths(Service("orders", ServiceSettings(environment="production")))


def test_the_framework_s_own_telemetry_is_off() -> None:
    app: FastAPI = make_app(make_service())

    parts = ("tracing", "metrics", "logs", "operation_spans", "auto_configure")
    configured = dict(app._telemetry)
    assert [configured[part] for part in parts] == [False] * 5
