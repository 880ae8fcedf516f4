"""What a payment service relies on in a provider: one suite, run on the sandbox and on every connector."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from platform_lib.ids import RandomIds

if TYPE_CHECKING:
    import httpx2

_created, _ok = 201, 200
_ids = RandomIds()
_members = {
    "id",
    "reference",
    "kind",
    "status",
    "amount",
    "authorisation_id",
    "decline_code",
    "redirect_url",
    "created_at",
}


@dataclass(frozen=True, slots=True)
class ProviderApi:
    """Where a provider is reached, and with which key.

    Attributes:
        url: the base URL, without a slash at the end.
        api_key: what is sent as ``Authorization: Bearer``.
        transport: how requests travel; over the network if None, else such as an ``httpx2.ASGITransport``.
    """

    url: str
    api_key: str
    transport: httpx2.AsyncBaseTransport | None = None

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send one request on a connection of its own.

        Raises:
            httpx2.TransportError: there was no answer.
        """
        import httpx2  # noqa: PLC0415  # the plugin loads in every test run, also those without HTTP

        async with httpx2.AsyncClient(
            base_url=self.url, transport=self.transport, trust_env=False, timeout=10
        ) as http:
            return await http.request(
                method, path, json=body, headers={"Authorization": f"Bearer {self.api_key}", **headers}
            )

    async def operate(
        self, path: str, *, reference: str, minor_units: int | None = 1250, **members: Any
    ) -> httpx2.Response:
        """Ask for an operation at *path* under *reference*; an amount in EUR goes along unless it is None."""
        body: dict[str, Any] = {"reference": reference, **members}
        if minor_units is not None:
            body["amount"] = {"minor_units": minor_units, "currency": "EUR"}
        return await self.send("POST", path, body, **{"Idempotency-Key": reference})


def _reference() -> str:
    return str(_ids.new())


def _same(found: Any, wanted: Any, about: str) -> None:
    if found != wanted:
        raise AssertionError(f"{about}: {found!r}, wanted {wanted!r}")


def _among(found: Any, wanted: Collection[Any], about: str) -> None:
    if found not in wanted:
        raise AssertionError(f"{about}: {found!r}, wanted one of {sorted(wanted)}")


def _problem(response: httpx2.Response, status: int, code: str) -> None:
    _same(response.status_code, status, f"status of {response.text!r}")
    _same(response.headers["content-type"], "application/problem+json", "media type of a problem")
    _same(response.json()["code"], code, "code of the problem")


class ProviderContract:
    """The suite: subclass it in a test module as ``class TestProvider(ProviderContract): pass``.

    The module has a fixture ``provider_api`` that returns a `ProviderApi`.

    Attributes:
        tokens: which token makes a test's case happen, by case; as the sandbox calls them, to be overridden.
    """

    tokens: ClassVar[Mapping[str, str]] = {
        "approved": "tok_approved",
        "insufficient_funds": "tok_insufficient_funds",
        "challenge": "tok_3ds_required",
        "rate_limited": "tok_rate_limited",
        "reply_lost": "tok_reply_lost",
        "error_after_success": "tok_error_after_success",
        "refund_declined": "tok_refund_declined",
    }

    async def test_what_is_approved_is_exactly_what_was_asked(self, provider_api: ProviderApi) -> None:
        """Reference, kind and amount come back as they were sent, and nothing else than promised."""
        reference = _reference()

        operation = await self._authorise(provider_api, reference)

        _same(set(operation), _members, "members of an operation")
        _same(operation["reference"], reference, "reference")
        _same(operation["kind"], "authorisation", "kind")
        _same(operation["status"], "approved", "status")
        _same(operation["amount"], {"minor_units": 1250, "currency": "EUR"}, "amount")
        _same((operation["decline_code"], operation["redirect_url"]), (None, None), "what is not there")

    async def test_one_reference_does_the_work_once(self, provider_api: ProviderApi) -> None:
        """The same request again is answered by the same operation; another content is refused."""
        reference = _reference()
        first = await self._authorise(provider_api, reference)

        again = await self._authorise(provider_api, reference)
        other = await provider_api.operate(
            "/v1/authorisations", reference=reference, minor_units=1251, token=self.tokens["approved"]
        )

        _same(again, first, "the second answer")
        _problem(other, 409, "reference_reused")

    async def test_one_reference_from_many_at_once_does_the_work_once(
        self, provider_api: ProviderApi
    ) -> None:
        """A race has one winner, and everybody else gets its operation."""
        reference = _reference()

        operations = await asyncio.gather(*(self._authorise(provider_api, reference) for _ in range(8)))

        _same(len({operation["id"] for operation in operations}), 1, "how many operations there are")

    async def test_money_is_captured_and_refunded_in_parts(self, provider_api: ProviderApi) -> None:
        """Each change is an operation of its own, about its own amount."""
        authorisation = (await self._authorise(provider_api, _reference()))["authorisation_id"]

        for change, kind, minor_units in (
            ("captures", "capture", 1000),
            ("captures", "capture", 250),
            ("refunds", "refund", 50),
            ("refunds", "refund", 1200),
        ):
            reference = _reference()
            response = await provider_api.operate(
                f"/v1/authorisations/{authorisation}/{change}", reference=reference, minor_units=minor_units
            )
            _same(response.status_code, _created, f"status of {response.text!r}")
            operation = response.json()
            _same((operation["kind"], operation["status"]), (kind, "approved"), "kind and status")
            _same(operation["amount"], {"minor_units": minor_units, "currency": "EUR"}, "amount")
            _same(operation["reference"], reference, "reference")
            _same(operation["authorisation_id"], authorisation, "authorisation")

    async def test_what_is_held_can_be_released(self, provider_api: ProviderApi) -> None:
        """A void is of the authorised amount, and nothing can be captured after it."""
        authorisation = (await self._authorise(provider_api, _reference()))["authorisation_id"]
        path = f"/v1/authorisations/{authorisation}"

        voided = await provider_api.operate(f"{path}/voids", reference=_reference(), minor_units=None)
        captured = await provider_api.operate(f"{path}/captures", reference=_reference())

        _same(voided.status_code, _created, f"status of {voided.text!r}")
        _same(voided.json()["amount"], {"minor_units": 1250, "currency": "EUR"}, "amount")
        _problem(captured, 422, "not_capturable")

    async def test_an_illegal_change_is_refused_and_leaves_no_operation(
        self, provider_api: ProviderApi
    ) -> None:
        """A refusal has its reason as a code, and nothing was done under the reference."""
        authorisation = (await self._authorise(provider_api, _reference()))["authorisation_id"]
        path = f"/v1/authorisations/{authorisation}"

        for change, minor_units, code in (
            ("refunds", 1, "not_refundable"),
            ("captures", 1251, "capture_exceeds_authorisation"),
        ):
            reference = _reference()
            refused = await provider_api.operate(
                f"{path}/{change}", reference=reference, minor_units=minor_units
            )
            _problem(refused, 422, code)
            _problem(await provider_api.send("GET", f"/v1/operations/{reference}"), 404, "not_found")
        await provider_api.operate(f"{path}/captures", reference=_reference(), minor_units=100)
        refund = await provider_api.operate(f"{path}/refunds", reference=_reference(), minor_units=101)
        _problem(refund, 422, "refund_exceeds_capture")
        void = await provider_api.operate(f"{path}/voids", reference=_reference(), minor_units=None)
        _problem(void, 422, "not_voidable")

    async def test_a_decline_is_an_operation_with_a_reason(self, provider_api: ProviderApi) -> None:
        """It is an outcome and no error, in the platform's words."""
        operation = await self._authorise(provider_api, _reference(), "insufficient_funds")

        _same(operation["status"], "declined", "status")
        _same(operation["decline_code"], "insufficient_funds", "decline code")

    async def test_a_refund_can_be_declined(self, provider_api: ProviderApi) -> None:
        """Changes have outcomes as authorisations have."""
        held = await self._authorise(provider_api, _reference(), "refund_declined")
        path = f"/v1/authorisations/{held['authorisation_id']}"
        await provider_api.operate(f"{path}/captures", reference=_reference())

        refund = (await provider_api.operate(f"{path}/refunds", reference=_reference())).json()

        _same((refund["status"], refund["decline_code"]), ("declined", "refund_not_permitted"), "outcome")

    async def test_a_customer_who_has_to_confirm_is_sent_somewhere(self, provider_api: ProviderApi) -> None:
        """Until then nothing can be captured."""
        operation = await self._authorise(provider_api, _reference(), "challenge")

        _same(operation["status"], "action_required", "status")
        _among(str(operation["redirect_url"]).split("://")[0], {"http", "https"}, "where to go")
        path = f"/v1/authorisations/{operation['authorisation_id']}/captures"
        _problem(await provider_api.operate(path, reference=_reference()), 422, "not_capturable")

    async def test_a_request_too_many_did_nothing(self, provider_api: ProviderApi) -> None:
        """429 says so, and when to come back."""
        reference = _reference()

        limited = await provider_api.operate(
            "/v1/authorisations", reference=reference, token=self.tokens["rate_limited"]
        )

        _problem(limited, 429, "rate_limited")
        _same(limited.headers["retry-after"].strip("0123456789"), "", "what is no digit in Retry-After")
        _problem(await provider_api.send("GET", f"/v1/operations/{reference}"), 404, "not_found")

    @pytest.mark.parametrize("case", ["reply_lost", "error_after_success"])
    async def test_a_lost_reply_is_no_answer_and_is_found_by_its_reference(
        self, provider_api: ProviderApi, case: str
    ) -> None:
        """Never a "no": the caller sees a lost connection or a 5xx, and asks."""
        import httpx2  # noqa: PLC0415  # as above

        reference = _reference()
        try:
            lost = await provider_api.operate(
                "/v1/authorisations", reference=reference, token=self.tokens[case]
            )
        except httpx2.TransportError:
            pass
        else:
            _same(lost.status_code // 100, 5, f"class of the status of {lost.text!r}")

        found = await provider_api.send("GET", f"/v1/operations/{reference}")

        _same(found.status_code, _ok, f"status of {found.text!r}")
        _same((found.json()["status"], found.json()["reference"]), ("approved", reference), "what is found")

    async def test_every_kind_of_operation_is_found_by_its_reference(self, provider_api: ProviderApi) -> None:
        """What a look-up says is what the first answer said."""
        opening = await self._authorise(provider_api, _reference())
        path = f"/v1/authorisations/{opening['authorisation_id']}"
        done = [
            opening,
            (await provider_api.operate(f"{path}/captures", reference=_reference())).json(),
            (await provider_api.operate(f"{path}/refunds", reference=_reference())).json(),
        ]
        other = await self._authorise(provider_api, _reference())
        void = f"/v1/authorisations/{other['authorisation_id']}/voids"
        done.append((await provider_api.operate(void, reference=_reference(), minor_units=None)).json())

        for operation in done:
            found = await provider_api.send("GET", f"/v1/operations/{operation['reference']}")
            _same(found.json(), operation, f"what is found of a {operation['kind']}")

    async def test_what_does_not_exist_is_not_found(self, provider_api: ProviderApi) -> None:
        """Neither an operation nor an authorisation."""
        _problem(await provider_api.send("GET", f"/v1/operations/{_reference()}"), 404, "not_found")
        captured = await provider_api.operate("/v1/authorisations/auth_none/captures", reference=_reference())
        _problem(captured, 404, "not_found")

    async def test_another_key_is_refused(self, provider_api: ProviderApi) -> None:
        """For every operation, and before anything is said about it."""
        stranger = replace(provider_api, api_key="wrong")

        refused = await stranger.operate(
            "/v1/authorisations", reference=_reference(), token=self.tokens["approved"]
        )

        _problem(refused, 401, "api_key_refused")
        _problem(await stranger.send("GET", f"/v1/operations/{_reference()}"), 401, "api_key_refused")

    @pytest.mark.parametrize("minor_units", ["1250", 12.5, 0, -1, True])
    async def test_money_that_is_no_whole_number_above_zero_is_not_understood(
        self, provider_api: ProviderApi, minor_units: Any
    ) -> None:
        """Nothing is rounded, and nothing is guessed."""
        refused = await provider_api.operate(
            "/v1/authorisations",
            reference=_reference(),
            minor_units=minor_units,
            token=self.tokens["approved"],
        )

        _same((refused.status_code, refused.json()["code"]), (422, "invalid_request"), "refusal")

    async def _authorise(
        self, provider_api: ProviderApi, reference: str, case: str = "approved"
    ) -> dict[str, Any]:
        response = await provider_api.operate(
            "/v1/authorisations", reference=reference, token=self.tokens[case]
        )
        _among(response.status_code, {_ok, _created}, f"status of {response.text!r}")
        operation: dict[str, Any] = response.json()
        return operation
