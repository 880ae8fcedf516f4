"""What the connector does, one function each. It keeps nothing: every request is one call to the processor.

Two things must never be mixed up, as a payment service acts on them: that nothing was done, and that nobody
knows. A lost reply is the second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from platform_lib import Money, NotFound, UnknownOutcome
from platform_lib.errors import CallFailed, NotSent
from platform_lib.telemetry import traced

from {{ cookiecutter.package }}.domain.operation import Event, Kind, Operation
from {{ cookiecutter.package }}.domain.refusals import OutcomeUnknown, ProcessorUnreachable
from {{ cookiecutter.package }}.ports import Processor, Receiver


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """The operations of the provider API, and what becomes of the processor's events."""

    processor: Processor
    receiver: Receiver

    @traced("authorise")
    async def authorise(self, reference: str, amount: Money, token: str) -> Operation:
        """Hold *amount*; a decline is an outcome, not an error."""
        with told_truly(reference):
            return await self.processor.authorise(reference, amount, token)

    @traced("change")
    async def change(
        self, kind: Kind, authorisation_id: str, reference: str, amount: Money | None = None
    ) -> Operation:
        """Capture, void or refund what is held as *authorisation_id*."""
        with told_truly(reference):
            return await self.processor.change(kind, authorisation_id, reference, amount)

    @traced("look up")
    async def look_up(self, reference: str) -> Operation:
        """Return the operation of *reference*, for a caller that lost the answer."""
        try:
            found = await self.processor.look_up(reference)
        except CallFailed as error:
            # NotSent as well: that the question never arrived says nothing about the operation.
            raise OutcomeUnknown(f"{reference}: the processor gives no answer ({error.reason}).") from error
        if found is None:
            raise NotFound(f"There is no operation with the reference {reference}.")
        return found

    @traced("pass on event")
    async def hear(self, event: Event) -> None:
        """Tell the payment service of a final outcome; it counts each event once, so we need not."""
        if event.operation.is_settled:
            await self.receiver.tell(event)


@contextmanager
def told_truly(reference: str) -> Iterator[None]:
    """Turn a call that failed into what the caller may conclude from it."""
    try:
        yield
    except NotSent as error:
        raise ProcessorUnreachable(f"{reference}: nothing was done ({error.reason}).") from error
    except UnknownOutcome as error:
        raise OutcomeUnknown(f"{reference}: the reply is lost ({error.reason}).") from error
