"""The body of every kind of error: one document, one media type, and never a word of what was sent."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.frameworks.orders import card, make_app, make_service

good_amount = '{"minor_units": 1250, "currency": "EUR"}'
good_method = '{"kind": "card", "token": "tok_1"}'
good = f'{{"amount": {good_amount}, "method": {good_method}}}'


async def post(http: httpx2.AsyncClient, body: str | bytes, **headers: str) -> httpx2.Response:
    sent = {"Content-Type": "application/json", "Merchant-Id": "acme", **headers}
    return await http.post("/v1/orders", content=body, headers=sent)


def document_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the document, having made sure of everything that holds for each of them."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document: dict[str, Any] = response.json()
    assert set(document) >= {"type", "title", "status", "code", "detail", "retryable"}
    assert document["status"] == response.status_code
    assert document["type"] == "urn:problem:" + document["code"].replace("_", "-")
    for text in (response.text, str(response.headers)):
        assert card not in text
    return document


def errors_of(response: httpx2.Response) -> list[tuple[str, str]]:
    assert response.status_code == 422
    document = document_of(response)
    assert document["code"] == "invalid_request"
    return [(error["location"], error["expected"]) for error in document["errors"]]


async def test_a_good_request_is_taken(http: httpx2.AsyncClient) -> None:
    assert (await post(http, good)).status_code == 201


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ("[]", [("body", "an object")]),
        ('"text"', [("body", "an object")]),
        ("{}", [("body.amount", "a value; it is required"), ("body.method", "a value; it is required")]),
        ("", [("body", "a value; it is required")]),
        (f'{{"amount": "{card}", "method": {good_method}}}', [("body.amount", "an object")]),
        (
            f'{{"amount": {good_amount}, "method": {good_method}, "{card}": "{card}"}}',
            [("body.*", "only the members that the schema names")],
        ),
        (
            f'{{"amount": {good_amount}, "method": {{"kind": "{card}"}}}}',
            [("body.method", "one of 'card', 'account' as 'kind'")],
        ),
        (
            f'{{"amount": {good_amount}, "method": {{"kind": "card", "token": "{card * 3}"}}}}',
            [("body.method.*.token", "a string of at most 32 characters")],
        ),
        (
            f'{{"amount": {good_amount}, "method": {{"kind": "account", "opened": "{card}"}}}}',
            [("body.method.*.opened", "a date and time with an offset (RFC 3339)")],
        ),
        (
            f'{{"amount": {good_amount}, "method": {good_method}, "labels": {{"{card}": "{card}"}}}}',
            [("body.labels.*", "an integer")],
        ),
    ],
)
async def test_a_wrong_shape_names_the_place_and_what_is_expected_there(
    http: httpx2.AsyncClient, body: str, errors: list[tuple[str, str]]
) -> None:
    assert errors_of(await post(http, body)) == errors


@pytest.mark.parametrize(
    ("minor_units", "expected"),
    [
        ('"100"', "an integer"),
        (f'"{card}"', "an integer"),
        ("true", "an integer"),
        ("null", "an integer"),
        ("[1]", "an integer"),
        ("0", "more than 0"),
        ("-1", "more than 0"),
        (card, "at most 1000000000000"),
    ],
)
async def test_money_is_nothing_but_an_integer_within_bounds(
    http: httpx2.AsyncClient, minor_units: str, expected: str
) -> None:
    body = f'{{"amount": {{"minor_units": {minor_units}, "currency": "EUR"}}, "method": {good_method}}}'

    assert errors_of(await post(http, body)) == [("body.amount.minor_units", expected)]


@pytest.mark.parametrize(
    ("currency", "expected"),
    [
        ("eur", "a string that matches ^[A-Z]{3}$"),
        (card, "a string that matches ^[A-Z]{3}$"),
        ("ZZZ", "a live ISO 4217 code"),  # the validator's own words, meant to be shown
        ("XXX", "a valid value"),  # another error's words, which quote the input
    ],
)
async def test_a_validator_is_quoted_only_if_it_says_so(
    http: httpx2.AsyncClient, currency: str, expected: str
) -> None:
    body = f'{{"amount": {{"minor_units": 1, "currency": "{currency}"}}, "method": {good_method}}}'

    assert errors_of(await post(http, body)) == [("body.amount.currency", expected)]


@pytest.mark.parametrize(
    "minor_units",
    [
        *("NaN", "Infinity", "-Infinity", "1e2", "1.0", "1E400", "9007199254740993.0"),
        *("9" * 30, "9" * 5000, "-" + "9" * 30),
    ],
)
async def test_a_number_that_is_no_integer_of_64_bits_is_refused(
    http: httpx2.AsyncClient, minor_units: str
) -> None:
    body = f'{{"amount": {{"minor_units": {minor_units}, "currency": "EUR"}}, "method": {good_method}}}'[
        :4096
    ]
    [(location, expected)] = errors_of(await post(http, body))

    assert location == "body"
    assert expected.startswith("strict JSON (RFC 8259, I-JSON); found ")
    assert minor_units not in expected.replace("NaN is no JSON", "").replace("Infinity is no JSON", "")


@pytest.mark.parametrize(
    "body",
    [
        good.replace("1250", '1250, "minor_units": 1'),  # a duplicate name
        f'{{"{card}": 1, "{card}": 2}}',
        good.replace("tok_1", "\\ud800"),  # a lone surrogate
        f'{{"{card}\\udfff": 1}}',
        "{" + good,
        good[:-1],
        f"{card} {card}",
        f"'{card}'",
        "[" * 2000,
        '{"a":' * 500,
        "\ufeff" + good,
    ],
)
async def test_json_that_readers_disagree_on_is_refused(http: httpx2.AsyncClient, body: str) -> None:
    [(location, expected)] = errors_of(await post(http, body))

    assert location == "body"
    assert " at position " in expected


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"a": "\xc3\x28"}', b"\x00", good.encode("utf-16")])
async def test_bytes_that_are_no_text_are_refused(http: httpx2.AsyncClient, body: bytes) -> None:
    [(location, _)] = errors_of(await post(http, body))

    assert location == "body"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "json", ";", card]
)
async def test_a_body_of_another_type_is_refused(http: httpx2.AsyncClient, content_type: str) -> None:
    response = await post(http, good, **{"Content-Type": content_type})

    assert (response.status_code, document_of(response)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/cloudevents+json"])
async def test_json_by_any_name_is_taken(http: httpx2.AsyncClient, content_type: str) -> None:
    assert (await post(http, good, **{"Content-Type": content_type})).status_code == 201


async def test_a_wrong_header_path_or_query_is_named_and_not_repeated(http: httpx2.AsyncClient) -> None:
    wrong_header = await post(http, good, **{"Merchant-Id": card})
    wrong_path = await http.get(f"/v1/orders/{card}", params={"limit": card})
    no_header = await http.post("/v1/orders", content=good, headers={"Content-Type": "application/json"})

    assert errors_of(wrong_header) == [("header.merchant-id", "a string that matches ^[a-z]+$")]
    assert errors_of(wrong_path) == [("path.order_id", "a UUID"), ("query.limit", "at most 100")]
    assert errors_of(no_header) == [("header.merchant-id", "a value; it is required")]


async def test_a_refusal_is_answered_with_its_code_its_members_and_its_headers(
    http: httpx2.AsyncClient,
) -> None:
    response = await http.post("/v1/orders/capture")

    document = document_of(response)
    document.pop("trace_id", None)
    assert document == {
        "type": "urn:problem:capture-exceeds-authorisation",
        "title": "The capture exceeds the authorisation",
        "status": 409,
        "code": "capture_exceeds_authorisation",
        "detail": "1200 EUR cents remain",
        "retryable": False,
        "remaining": 1200,
    }
    assert response.headers["x-remaining"] == "1200"


async def test_a_detail_is_redacted_on_its_way_out(http: httpx2.AsyncClient) -> None:
    response = await http.get("/v1/orders/00000000-0000-7000-8000-000000000001")

    assert document_of(response)["code"] == "not_found"
    assert "411111" in document_of(response)["detail"]  # what may be shown of a card number


async def test_unavailable_says_when_to_come_again(http: httpx2.AsyncClient) -> None:
    response = await http.get("/v1/busy")

    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
    assert document_of(response)["retryable"] is True


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/v1/{card}", 404, "not_found"),
        ("GET", "/v1/orders/", 404, "not_found"),  # no redirect to another path
        ("GET", "/", 404, "not_found"),
        ("DELETE", "/v1/orders", 405, "method_not_allowed"),
        ("GET", "/v1/denied", 403, "forbidden"),
        ("GET", "/v1/crash", 500, "internal_error"),
        ("GET", "/v1/wrong-answer", 500, "internal_error"),
    ],
)
async def test_what_the_framework_answers_is_a_problem_too(
    http: httpx2.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await http.request(method, path)

    assert (response.status_code, document_of(response)["code"]) == (status, code)


async def test_the_headers_of_the_framework_are_kept(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/v1/denied")).headers["x-why"] == "policy"


async def test_a_wrong_method_is_told_every_method_of_the_path(http: httpx2.AsyncClient) -> None:
    assert (await http.delete("/v1/orders")).headers["allow"] == "GET, POST"
    assert (await http.delete("/v1/crash")).headers["allow"] == "GET"


async def test_a_body_beyond_the_limit_is_a_problem(http: httpx2.AsyncClient) -> None:
    response = await post(http, " " * 4097)

    assert (response.status_code, document_of(response)["code"]) == (413, "content_too_large")


async def test_an_unhandled_error_is_logged_once_with_its_kind(
    http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await http.get("/v1/crash")

    lines = [record.getMessage() for record in caplog.records if record.exc_info]
    assert lines == ["unhandled RuntimeError in GET /v1/crash"]


async def test_an_endpoint_still_reads_the_bytes_that_were_sent(http: httpx2.AsyncClient) -> None:
    sent = '{"currency": "EUR",   "minor_units": 7}'
    response = await http.post("/v1/echo", content=sent, headers={"Content-Type": "application/json"})

    assert response.json() == {"raw": sent, "read": {"minor_units": 7, "currency": "EUR"}, "units": 7}


canary = "zqzq"
names = st.text("zq", min_size=4, max_size=4).map(lambda text: canary + text)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | names
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(["amount", "method", "labels"]) | names, values, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
async def test_no_request_whatever_gets_anything_back_of_what_it_sent(body: dict[str, Any]) -> None:
    service = make_service()
    transport = httpx2.ASGITransport(app=service.install(make_app(service)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as http:
        response = await post(http, json.dumps(body))

    assert response.status_code == 422
    document_of(response)
    assert canary not in response.text
