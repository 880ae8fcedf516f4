"""The story: payments played over HTTP against a running service, each step with the outcome it must have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from platform_lib.clock import Clock


def _client(url: str, key: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10)


@dataclass(frozen=True)
class Step:
    """One step that was played.

    Attributes:
        title: what was tried.
        expected: the outcome it must have.
        outcome: the outcome it had.
        milliseconds: from the request to the outcome.
    """

    title: str
    expected: str
    outcome: str
    milliseconds: float

    @property
    def ok(self) -> bool:
        """Return whether the outcome was the expected one."""
        return self.outcome == self.expected


class Story:
    """Plays the steps in order; each yields before the next begins, so progress can be shown.

    After `authorised` the id of the main payment is in `payment_id`.
    """

    def __init__(
        self, service_url: str, merchant_key: str, provider_url: str, provider_key: str, *, clock: Clock
    ) -> None:
        self._service = _client(service_url, merchant_key)
        self._provider = _client(provider_url, provider_key)
        self._clock = clock
        self._keys = 0
        self.payment_id = ""

    def play(self) -> Iterator[Step]:
        """Play every step."""
        with self._service, self._provider:
            yield self._timed("authorise 12.50 EUR", "201 authorised", self._authorise)
            yield self._timed("capture all of it", "200 captured 12.50 EUR", self._capture)
            yield self._timed("refund 5.00 EUR of it", "200 captured, 5.00 EUR refunded", self._refund)
            yield self._timed(
                "a card without funds",
                "201 declined, insufficient_funds",
                self._declined,
                "tok_insufficient_funds",
            )
            yield self._timed(
                "the same idempotency key twice",
                "one payment, the same bytes, 1 provider operation",
                self._twice,
            )
            yield self._timed("the provider's reply is lost", "202 unknown", self._lose_the_reply)
            yield self._timed(
                "the sweeper asks the provider", "authorised, as the provider says: approved", self._resolve
            )

    def _timed(self, title: str, expected: str, play: Callable[..., str], *arguments: str) -> Step:
        began = self._clock.monotonic()
        try:
            outcome = play(*arguments)
        except (httpx2.HTTPError, KeyError, ValueError) as error:
            outcome = f"no usable answer: {type(error).__name__}"
        return Step(title, expected, outcome, (self._clock.monotonic() - began) * 1000)

    def _post(self, path: str, body: dict[str, Any], key: str | None = None) -> httpx2.Response:
        self._keys += 1
        return self._service.post(path, json=body, headers={"Idempotency-Key": key or f"demo-{self._keys}"})

    def _pay(self, minor_units: int, token: str, key: str | None = None) -> httpx2.Response:
        body = {
            "amount": {"minor_units": minor_units, "currency": "EUR"},
            "payment_token": token,
            "merchant_reference": f"order-{minor_units}",
        }
        return self._post("/v1/payments", body, key)

    def _authorise(self) -> str:
        reply = self._pay(1250, "tok_approved")
        payment = reply.json()
        self.payment_id = payment["id"]
        return f"{reply.status_code} {payment['state']}"

    def _capture(self) -> str:
        reply = self._post(f"/v1/payments/{self.payment_id}/capture", {})
        payment = reply.json()
        return f"{reply.status_code} {payment['state']} {_in_words(payment['captured'])}"

    def _refund(self) -> str:
        reply = self._post(
            f"/v1/payments/{self.payment_id}/refunds", {"amount": {"minor_units": 500, "currency": "EUR"}}
        )
        payment = reply.json()
        return f"{reply.status_code} {payment['state']}, {_in_words(payment['refunded'])} refunded"

    def _declined(self, token: str) -> str:
        reply = self._pay(9900, token)
        payment = reply.json()
        return f"{reply.status_code} {payment['state']}, {payment['decline_code']}"

    def _twice(self) -> str:
        first = self._pay(4200, "tok_approved", key="demo-twice")
        second = self._pay(4200, "tok_approved", key="demo-twice")
        one = "one payment" if first.json()["id"] == second.json()["id"] else "two payments"
        same = "the same bytes" if first.content == second.content else "other bytes"
        attempts = first.json()["attempts"]
        operations = sum(len(self._operations(attempt["id"])) for attempt in attempts)
        return f"{one}, {same}, {operations} provider operation{'s' if operations != 1 else ''}"

    def _lose_the_reply(self) -> str:
        # Without webhooks, or the provider's own word might arrive before the loss was even noticed.
        self._provider.put("/sandbox/webhooks", json={"url": None})
        reply = self._pay(7700, "tok_reply_lost")
        payment = reply.json()
        self._lost = payment
        return f"{reply.status_code} {payment['state']}"

    def _resolve(self) -> str:
        deadline = self._clock.monotonic() + 10
        state = "unknown"
        while state == "unknown" and self._clock.monotonic() < deadline:
            time.sleep(0.05)  # law-5: polls another process, which keeps the machine's time
            state = self._service.get(f"/v1/payments/{self._lost['id']}").json()["state"]
        webhooks = str(self._service.base_url.join("/v1/provider-events"))
        self._provider.put("/sandbox/webhooks", json={"url": webhooks})
        [operation] = self._operations(self._lost["attempts"][0]["id"])
        return f"{state}, as the provider says: {operation['status']}"

    def _operations(self, reference: str) -> list[dict[str, Any]]:
        reply = self._provider.get("/v1/operations", params={"reference": reference})
        operations: list[dict[str, Any]] = reply.json()["operations"]
        return operations


def _in_words(amount: dict[str, Any]) -> str:
    # Every amount of the story is in euros, which have two decimals.
    return f"{amount['minor_units'] // 100}.{amount['minor_units'] % 100:02d} {amount['currency']}"
