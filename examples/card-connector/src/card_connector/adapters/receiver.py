"""The payment service that hears our webhooks: signed by Standard Webhooks, as every provider's are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_lib import Clock
from platform_lib.clients import HttpClient
from platform_lib.errors import CallFailed
from platform_lib.payments import WebhookSigner
from platform_lib.strict_json import dumps

from card_connector.domain.operation import Event, Operation
from card_connector.domain.refusals import ReceiverUnreachable

ACCEPTED = range(200, 300)


@dataclass(slots=True)
class PaymentService:
    """The port `Receiver`."""

    http: HttpClient
    path: str
    signer: WebhookSigner
    """Replaced when its secret is rotated."""
    render: Callable[[Operation], dict[str, Any]]
    clock: Clock

    async def tell(self, event: Event) -> None:
        """Send the event under the processor's own id for it: however often it comes, it counts once."""
        document = {
            "type": f"operation.{event.operation.status}",
            "id": event.id,
            "data": self.render(event.operation),
        }
        # There is one way to write a document, so these are the bytes that the client sends.
        headers = self.signer.sign(event.id, self.clock.now(), dumps(document))
        try:
            reply = await self.http.request(
                "POST", self.path, json=document, headers=headers, operation="tell payment service"
            )
        except CallFailed as error:
            raise ReceiverUnreachable(f"{event.id}: not taken ({error.reason}).") from error
        if reply.status not in ACCEPTED:
            raise ReceiverUnreachable(f"{event.id}: not taken (http_{reply.status}).")
