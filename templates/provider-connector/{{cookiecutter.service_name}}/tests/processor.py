"""The card processor of docs/processor.md, played on a real socket: its words, its faults, its webhooks.

`python tests/processor.py PORT WEBHOOK_URL` plays it for people. The books are those of the platform's
sandbox, so the sandbox's test tokens choose what happens.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx2
from platform_lib import Clock, Problem, RandomIds, SystemClock
from platform_lib.sandbox import TOKENS, Ledger, Operation

from {{ cookiecutter.package }}.adapters import amounts
from {{ cookiecutter.package }}.adapters.signature import HEADER, signature

API_KEY = "kestrel_test_key"
WEBHOOK_SECRET = "kestrel_test_webhook_secret"
WEBHOOKS = "/v1/processor-events"

TYPES = {"authorisation": "AUTH", "capture": "CAPTURE", "void": "REVERSAL", "refund": "REFUND"}
STATES = {"approved": "APPROVED", "declined": "DECLINED", "action_required": "CHALLENGE"}
RESPONSE_CODES = {
    None: "00",
    "do_not_honour": "05",
    "insufficient_funds": "51",
    "expired_card": "54",
    "stolen_card": "43",
    "authentication_failed": "K1",
    "authorisation_expired": "K2",
    "refund_not_permitted": "K3",
}
ERROR_CODES = {
    "not_found": "E1004",
    "reference_reused": "E1009",
    "currency_differs": "E1020",
    "capture_exceeds_authorisation": "E1021",
    "refund_exceeds_capture": "E1022",
    "not_capturable": "E1023",
    "not_refundable": "E1024",
    "not_voidable": "E1025",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a document, and what is done to the reply on its way."""

    status: int
    document: Any
    fault: str = "prompt"
    headers: str = ""


class Processor:
    """An async context manager that serves; `ledger` holds its books."""

    def __init__(self, *, port: int = 0, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.ledger = Ledger(clock=self.clock, ids=RandomIds(self.clock))
        self.webhook_url: str | None = None
        self.transport: httpx2.AsyncBaseTransport | None = None
        self.keys: list[str] = []
        self.url = ""
        self._port = port
        self._server: asyncio.Server | None = None
        self._telling: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def tell(self, operation: Operation, *, event_id: str = "", body: bytes = b"") -> int | None:
        """Send one webhook; return the receiver's status, None if there was no answer."""
        document = {
            "eventId": event_id or f"ev_{operation.id}",
            "eventType": "TRANSACTION_UPDATED",
            "transaction": self.transaction(operation),
        }
        body = body or json.dumps(document).encode()
        headers = {HEADER: signature(WEBHOOK_SECRET, int(self.clock.now().timestamp()), body)}
        async with httpx2.AsyncClient(trust_env=False, transport=self.transport) as http:
            with suppress(httpx2.TransportError):
                reply = await http.post(
                    str(self.webhook_url),
                    content=body,
                    headers={**headers, "Content-Type": "application/json"},
                )
                return reply.status_code
        return None

    async def confirm(self, authorisation_id: str, *, approve: bool = True) -> Operation:
        """Do what the customer does on the challenge's page, and tell of it."""
        entry = self.ledger.answer_challenge(authorisation_id, "approve" if approve else "decline")
        if self.webhook_url:
            await self.tell(entry.operation)
        return entry.operation

    def transaction(self, operation: Operation) -> dict[str, Any]:
        """Return *operation* in the processor's words."""
        is_opening = operation.kind == "authorisation"
        return {
            "transactionId": operation.authorisation_id if is_opening else operation.id,
            "merchantRef": operation.reference,
            "type": TYPES[operation.kind],
            "state": STATES[operation.status],
            "value": amounts.written(operation.amount),
            "currencyCode": operation.amount.currency,
            "parentId": None if is_opening else operation.authorisation_id,
            "responseCode": RESPONSE_CODES[operation.decline_code],
            "challengeUrl": None
            if operation.settled
            else f"{self.url}/challenges/{operation.authorisation_id}",
            "createdAt": operation.created_at.isoformat(),
        }

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one request."""
        if headers.get("x-api-key") != API_KEY:
            return Answer(401, {"errorCode": "E1001", "message": "Unknown API key"})
        self.keys.append(headers.get("idempotency-key", ""))
        parts = urlsplit(target)
        try:
            if method == "GET":
                (reference,) = parse_qs(parts.query)["merchantRef"]
                found = [self.transaction(one) for one in self.ledger.operations(reference)]
                return Answer(200, {"transactions": found})
            return self._operate(parts.path.removeprefix("/v2/transactions").strip("/"), json.loads(body))
        except Problem as refused:
            code = ERROR_CODES.get(refused.code, "E1030")
            return Answer(refused.status, {"errorCode": code, "message": refused.title})

    def _operate(self, path: str, request: dict[str, Any]) -> Answer:
        reference = request["merchantRef"]
        amount = amounts.read(request["value"], request["currencyCode"]) if "value" in request else None
        if not path:
            assert amount is not None
            token = TOKENS.get(request["cardToken"])
            if token is not None and token.reaction("authorisation").reply == "rate_limited":
                return Answer(
                    429, {"errorCode": "E1029", "message": "Slow down"}, headers="Retry-After: 1\r\n"
                )
            return self._done(self.ledger.authorise(reference, amount, request["cardToken"]))
        authorisation, change = path.split("/")
        if change == "reversals":
            return self._done(self.ledger.void(authorisation, reference))
        assert amount is not None
        do = {"captures": self.ledger.capture, "refunds": self.ledger.refund}[change]
        return self._done(do(authorisation, reference, amount))

    def _done(self, entry: Any) -> Answer:
        operation: Operation = entry.operation
        token = self.ledger.authorisation(operation.authorisation_id).token
        fault = token.reaction(operation.kind).reply if entry.is_new else "prompt"
        return Answer(201 if entry.is_new else 200, self.transaction(operation), fault)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            method, target, _ = head[0].split(" ")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if target.startswith("/challenges/"):
                await self.confirm(target.rpartition("/")[2])
                answer = Answer(200, {})
            else:
                answer = self.answer(method, target, headers, body)
            writer.write(_as_sent(answer))
            await writer.drain()
        writer.close()


def _as_sent(answer: Answer) -> bytes:
    """Return the reply as it leaves, or what a fault leaves of it."""
    content = json.dumps(answer.document).encode()
    status = answer.status
    match answer.fault:
        case "lost" | "slow" | "late":
            return b""
        case "error":
            status, content = 500, b'{"errorCode": "E5000", "message": "Failed after the work was done"}'
        case "malformed":
            content = content[: len(content) // 2]
    head = (
        f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{answer.headers}"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + content


async def main(port: int, webhook_url: str) -> None:
    """Play the processor until Ctrl-C."""
    async with Processor(port=port) as processor:
        processor.webhook_url = webhook_url
        sys.stdout.write(f"the processor is at {processor.url}, its key is {API_KEY}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
