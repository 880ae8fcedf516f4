"""What a caller meets: the ledger does the work, the token decides about the answer and the webhook."""

from __future__ import annotations

import asyncio

from fastapi import Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from platform_lib.clock import Clock
from platform_lib.errors import Fault
from platform_lib.money import Money
from platform_lib.sandbox.ledger import ChallengeOutcome, Entry, Ledger, Operation
from platform_lib.sandbox.refusals import RateLimited
from platform_lib.sandbox.schemas import OperationDocument, webhook_event
from platform_lib.sandbox.serving import LostReply
from platform_lib.sandbox.tokens import TOKENS, Reaction
from platform_lib.sandbox.webhooks import WebhookSender

_prompt = Reaction()
_created = 201


class Processor:
    """Turns each request into work in the ledger, an answer, and a webhook.

    Only the request that does the work meets the token's fault; the same reference again is answered plainly.
    """

    def __init__(self, *, ledger: Ledger, webhooks: WebhookSender, clock: Clock, slow_seconds: float) -> None:
        self.ledger = ledger
        self.webhooks = webhooks
        self.base_url = ""
        self.clock = clock
        self._slow_seconds = slow_seconds
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every wait at once; those who waited lose their answer."""
        self._closing.set()

    async def authorise(self, reference: str, amount: Money, token_name: str) -> Response:
        """Authorise and answer as the token says."""
        token = TOKENS.get(token_name)
        reaction = token.reaction("authorisation") if token else _prompt
        if reaction.reply == "rate_limited":
            raise RateLimited
        if reaction.reply == "late" and not self.ledger.operations(reference) and not await self._pause():
            return LostReply()
        return await self._answer(reaction, self.ledger.authorise(reference, amount, token_name))

    async def capture(self, authorisation_id: str, reference: str, amount: Money) -> Response:
        """Capture and answer as the token of the authorisation says."""
        reaction = self.ledger.authorisation(authorisation_id).token.reaction("capture")
        return await self._answer(reaction, self.ledger.capture(authorisation_id, reference, amount))

    async def refund(self, authorisation_id: str, reference: str, amount: Money) -> Response:
        """Refund and answer as the token of the authorisation says."""
        reaction = self.ledger.authorisation(authorisation_id).token.reaction("refund")
        return await self._answer(reaction, self.ledger.refund(authorisation_id, reference, amount))

    async def void(self, authorisation_id: str, reference: str) -> Response:
        """Void and answer."""
        return await self._answer(_prompt, self.ledger.void(authorisation_id, reference))

    async def answer_challenge(self, authorisation_id: str, outcome: ChallengeOutcome) -> Response:
        """Play the customer, and tell the caller by webhook."""
        return await self._answer(
            _prompt, self.ledger.answer_challenge(authorisation_id, outcome), status=200
        )

    async def _answer(self, reaction: Reaction, entry: Entry, *, status: int = _created) -> Response:
        document = JSONResponse(self.render(entry.operation).model_dump(), status if entry.is_new else 200)
        if not entry.is_new:
            return document
        if reaction.notice == "before" or reaction.reply == "slow":
            self._notify(reaction, entry.operation)
        else:
            # It runs once the answer is on its way, and also if that was lost.
            document.background = BackgroundTask(self._notify_later, reaction, entry.operation)
        if reaction.notice == "before":
            await self.webhooks.tried(entry.operation.reference)
        return await self._deliver(reaction, document)

    async def _deliver(self, reaction: Reaction, document: JSONResponse) -> Response:
        match reaction.reply:
            case "slow":
                return document if await self._pause() else LostReply()
            case "lost":
                return LostReply(background=document.background)
            case "error":
                problem = Fault("The processor failed after it did the work.").document()
                return JSONResponse(
                    problem,
                    problem["status"],
                    media_type="application/problem+json",
                    background=document.background,
                )
            case "malformed":
                half = bytes(document.body)[: len(document.body) // 2]
                return Response(
                    half,
                    document.status_code,
                    media_type="application/json",
                    background=document.background,
                )
            case _:
                return document

    def render(self, operation: Operation) -> OperationDocument:
        """Return the document of *operation*."""
        return OperationDocument.of(operation, self.base_url)

    async def _notify_later(self, reaction: Reaction, operation: Operation) -> None:
        self._notify(reaction, operation)

    def _notify(self, reaction: Reaction, operation: Operation) -> None:
        if reaction.notice == "never" or not operation.settled:
            return
        self.webhooks.send(
            operation.reference,
            lambda event_id: webhook_event(event_id, operation, self.base_url),
            times=2 if reaction.notice == "twice" else 1,
        )

    async def _pause(self) -> bool:
        """Wait the slow time; return whether it passed, rather than the sandbox closing."""
        waits = [
            asyncio.ensure_future(self.clock.sleep(self._slow_seconds)),
            asyncio.ensure_future(self._closing.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not self._closing.is_set()
