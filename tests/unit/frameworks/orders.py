"""A small application with an endpoint of every kind, to be asked for every kind of error."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from platform_lib import ManualClock, NotFound, Refusal, Unavailable
from platform_lib.config import load
from platform_lib.frameworks.fastapi import RequestBody, StrictRoute, create_app, problem_responses
from platform_lib.service import ServerSettings, Service, ServiceSettings

card = "4111111111111111"


class ShopSettings(ServiceSettings, prefix="SHOP"):
    http: ServerSettings = ServerSettings(max_body_bytes=4096)


class CaptureExceedsAuthorisation(Refusal):
    """More was to be captured than was authorised."""

    code = "capture_exceeds_authorisation"
    title = "The capture exceeds the authorisation"


class KeyReused(Refusal):
    """The key was used for another request."""

    status = 422
    code = "idempotency_key_reused"
    title = "The idempotency key was used for another request"


def _refuse_zzz(code: str) -> str:
    if code == "ZZZ":
        raise PydanticCustomError("expected", "a live ISO 4217 code")
    if code == "XXX":
        raise ValueError(f"no such currency: {code}")
    return code


class Amount(RequestBody):
    minor_units: Annotated[int, Field(gt=0, le=10**12)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$"), AfterValidator(_refuse_zzz)]


class ByCard(RequestBody):
    kind: Literal["card"]
    token: Annotated[str, Field(max_length=32)]


class ByAccount(RequestBody):
    kind: Literal["account"]
    opened: datetime


class Order(RequestBody):
    amount: Amount
    method: Annotated[ByCard | ByAccount, Field(discriminator="kind")]
    labels: dict[str, int] = Field(default_factory=dict)


class Accepted(BaseModel):
    accepted: bool


router = APIRouter(prefix="/v1", route_class=StrictRoute)


@router.post("/orders", status_code=201, responses=problem_responses(KeyReused))
async def place(order: Order, merchant_id: Annotated[str, Header(pattern="^[a-z]+$")]) -> Accepted:
    return Accepted(accepted=bool(order) and bool(merchant_id))


@router.get("/orders")
async def every() -> Accepted:
    return Accepted(accepted=True)


@router.get("/orders/{order_id}", responses=problem_responses(NotFound))
async def show(order_id: UUID, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Accepted:
    raise NotFound(f"There is no order {order_id} within {limit}; was it {card}?")


@router.post("/orders/capture", responses=problem_responses(CaptureExceedsAuthorisation))
async def capture() -> Accepted:
    raise CaptureExceedsAuthorisation(
        "1200 EUR cents remain", remaining=1200, headers={"X-Remaining": "1200"}
    )


@router.get("/crash")
async def crash() -> Accepted:
    raise RuntimeError(f"the card {card} broke it")


@router.get("/busy")
async def busy() -> Accepted:
    raise Unavailable("The provider is slow today", retry_after_seconds=7)


@router.get("/denied")
async def denied() -> Accepted:
    raise HTTPException(403, detail={"card": card}, headers={"X-Why": "policy"})


@router.get("/wrong-answer")
async def wrong_answer() -> Accepted:
    return Accepted.model_construct(accepted=card)  # type: ignore[arg-type]


@router.post("/echo")
async def echo(request: Request, body: Amount) -> dict[str, Any]:
    return {"raw": (await request.body()).decode(), "read": await request.json(), "units": body.minor_units}


def make_service() -> Service:
    return Service("orders", load(ShopSettings, environ={"SHOP_ENVIRONMENT": "test"}), clock=ManualClock())


def make_app(service: Service) -> Any:
    return create_app(service, title="Orders", version="1", routers=[router])
