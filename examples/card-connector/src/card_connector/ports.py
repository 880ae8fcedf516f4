"""What the use cases need of the outside: a processor and a receiver. Nothing here knows HTTP."""

from typing import Protocol

from platform_lib import Money

from card_connector.domain.operation import Event, Kind, Operation


class Processor(Protocol):
    """The card processor.

    Every call may raise `NotSent` or `UnknownOutcome`, and what is in `domain/refusals.py`. Asking twice with
    the same reference does the work once.
    """

    async def authorise(self, reference: str, amount: Money, token: str) -> Operation:
        """Ask to hold *amount* on the card behind *token*."""
        ...

    async def change(
        self, kind: Kind, authorisation_id: str, reference: str, amount: Money | None
    ) -> Operation:
        """Ask for a capture, void or refund; a void is of all that is held."""
        ...

    async def look_up(self, reference: str) -> Operation | None:
        """Return the operation of *reference*; None if the processor knows of none."""
        ...


class Receiver(Protocol):
    """The payment service."""

    async def tell(self, event: Event) -> None:
        """Pass *event* on, and return once it is taken.

        Raises:
            ReceiverUnreachable: it was not taken.
        """
        ...
