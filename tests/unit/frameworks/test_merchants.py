"""A FastAPI application that knows its merchants: by their keys, or by a gateway's word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI

from platform_lib import ManualClock
from platform_lib.config import load
from platform_lib.frameworks.fastapi import StrictRoute, create_app, merchant_id
from platform_lib.security import Merchants, MerchantSettings, NewKey, new_key
from platform_lib.service import Service, ServiceSettings
from platform_lib.testing import CapturedLogs, CapturedSpans, in_process_client

Environment = Literal["development", "test", "production"]


class ShopSettings(ServiceSettings, prefix="SHOP"):
    merchants: MerchantSettings = MerchantSettings()


router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.get("/orders/{number}")
async def show(merchant: Annotated[str, Depends(merchant_id)], number: int) -> dict[str, Any]:
    return {"merchant": merchant, "number": number}


@router.post("/events")
async def hear() -> None:
    """Anyone may tell."""


@router.get("/mistaken")
async def mistaken(merchant: Annotated[str, Depends(merchant_id)]) -> str:
    return merchant


acme = new_key("acme", mode="test")


def make_app(
    *entries: NewKey, environment: Environment = "test", authentication: str = "api_keys"
) -> tuple[Service, FastAPI, Merchants]:
    settings = load(
        ShopSettings,
        environ={},
        overrides={
            "environment": environment,
            "merchants.keys": [str(entry.stored) for entry in entries],
            "merchants.authentication": authentication,
        },
    )
    service = Service("shop", settings, clock=ManualClock())
    merchants = Merchants(settings.merchants, test_keys=environment != "production")
    app = create_app(
        service,
        title="Shop",
        version="1",
        routers=[router],
        merchants=merchants,
        public=["/v1/events", "/v1/mistaken"],
    )
    return service, app, merchants


@asynccontextmanager
async def shop(*entries: NewKey, **settings: Any) -> AsyncIterator[httpx2.AsyncClient]:
    service, app, _ = make_app(*entries, **settings)
    async with in_process_client(service.install(app)) as http:
        yield http


def bearer(made: NewKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.key}"}


async def test_a_route_learns_the_merchant_of_the_key() -> None:
    async with shop(acme) as http:
        answered = await http.get("/v1/orders/7", headers={**bearer(acme), "Merchant-Id": "other"})

    assert answered.json() == {"merchant": "acme", "number": 7}


async def test_without_any_setting_nobody_is_let_in() -> None:
    async with shop() as http:
        for headers in ({}, {"Merchant-Id": "acme"}, bearer(acme)):
            answered = await http.get("/v1/orders/7", headers=headers)
            assert (answered.status_code, answered.json()["code"]) == (401, "unauthenticated")
        assert (await http.get("/no/such/path")).status_code == 401
        assert (await http.get("/readyz")).status_code == 200
        assert (await http.post("/v1/events")).status_code == 200


@pytest.mark.parametrize(
    ("environment", "status"), [("development", 200), ("test", 401), ("production", 401)]
)
async def test_the_documentation_is_public_in_development_alone(
    environment: Environment, status: int
) -> None:
    async with shop(environment=environment) as http:
        assert [(await http.get(path)).status_code for path in ("/docs", "/openapi.json")] == [status] * 2


async def test_a_test_key_opens_nothing_in_production(logs: CapturedLogs) -> None:
    live = new_key("acme")
    async with shop(acme, live, environment="production") as http:
        answers = [await http.get("/v1/orders/7", headers=bearer(key)) for key in (acme, live)]

    assert [answer.status_code for answer in answers] == [401, 200]
    assert "1 test keys are listed, and open nothing in production" in logs.text()


async def test_keys_are_replaced_in_one_step_and_a_bad_list_changes_nothing() -> None:
    service, app, merchants = make_app(acme)
    other = new_key("other")
    async with in_process_client(service.install(app)) as http:
        merchants.rotate(MerchantSettings(keys=(str(other.stored),)))
        statuses = [
            (await http.get("/v1/orders/7", headers=bearer(key))).status_code for key in (acme, other)
        ]
        with pytest.raises(ValueError, match="is not merchant:"):
            merchants.rotate(MerchantSettings.model_construct(keys=("nonsense",)))
        assert (await http.get("/v1/orders/7", headers=bearer(other))).status_code == 200

    assert statuses == [401, 200]


async def test_the_server_span_has_its_route_behind_the_authentication(spans: CapturedSpans) -> None:
    async with shop(acme) as http:
        spans.clear()
        await http.get("/v1/orders/7", headers=bearer(acme))

    assert spans.tree() == "GET /v1/orders/{number} (server)"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Merchant-Id", "acme")], 200),
        ([], 401),
        ([("Merchant-Id", "acme"), ("Merchant-Id", "other")], 401),
        ([("Merchant-Id", "ACME")], 401),
        ([("Merchant-Id", "acme,other")], 401),
        ([("Merchant-Id", "4242424242424242")], 401),
        ([("Merchant_Id", "acme")], 401),
        (list(bearer(acme).items()), 401),
    ],
)
async def test_a_gateway_s_word_is_taken_once_and_in_form(
    headers: list[tuple[str, str]], status: int
) -> None:
    async with shop(acme, authentication="gateway") as http:
        answered = await http.get("/v1/orders/7", headers=headers)

    assert answered.status_code == status
    assert "4242424242424242" not in answered.text
    if status == 200:
        assert answered.json()["merchant"] == "acme"


async def test_a_public_route_that_wants_to_know_who_calls_is_a_mistake_in_code() -> None:
    async with shop(acme, authentication="gateway") as http:
        answered = await http.get("/v1/mistaken", headers={"Merchant-Id": "acme"})

    assert answered.status_code == 500


@pytest.mark.parametrize(
    ("authentication", "scheme"),
    [
        ("api_keys", {"api_key": {"type": "http", "scheme": "bearer"}}),
        ("gateway", {"gateway": {"type": "apiKey", "in": "header", "name": "Merchant-Id"}}),
    ],
)
def test_the_description_says_how_callers_show_who_they_are(
    authentication: str, scheme: dict[str, dict[str, str]]
) -> None:
    _, app, _ = make_app(acme, authentication=authentication)
    description = app.openapi()

    (name,) = scheme
    described = description["components"]["securitySchemes"][name]
    assert {key: value for key, value in described.items() if key != "description"} == scheme[name]
    assert description["security"] == [{name: []}]
    shown, heard = (
        description["paths"]["/v1/orders/{number}"]["get"],
        description["paths"]["/v1/events"]["post"],
    )
    assert "unauthenticated" in shown["responses"]["401"]["content"]["application/problem+json"]["examples"]
    assert "security" not in shown
    assert (heard["security"], "401" in heard["responses"]) == ([], False)
    assert "Merchant-Id" not in str(shown)
