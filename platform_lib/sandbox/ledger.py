"""The processor's own books: authorisations and the operations on them.

Pure and synchronous: the only inputs besides the calls are the clock and the ids. What happens to an answer
or a webhook on its way is no matter of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from platform_lib.clock import Clock
from platform_lib.errors import NotFound
from platform_lib.ids import Ids
from platform_lib.money import Money
from platform_lib.sandbox.refusals import (
    CaptureExceedsAuthorisation,
    ChallengeNotPending,
    CurrencyDiffers,
    NotCapturable,
    NotRefundable,
    NotVoidable,
    ReferenceReused,
    RefundExceedsCapture,
    UnknownToken,
)
from platform_lib.sandbox.tokens import TOKENS, Kind, Token

OperationStatus = Literal["approved", "declined", "action_required"]
AuthorisationStatus = Literal["action_required", "declined", "authorised", "captured", "refunded", "voided"]
ChallengeOutcome = Literal["approve", "decline"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a caller asked for, and what came of it.

    Attributes:
        amount: what was approved or declined; a void carries the authorised amount.
        decline_code: why it was declined, else None.
    """

    id: str
    reference: str
    kind: Kind
    status: OperationStatus
    amount: Money
    authorisation_id: str
    decline_code: str | None
    created_at: datetime

    @property
    def settled(self) -> bool:
        """Whether the outcome is final."""
        return self.status != "action_required"


@dataclass(slots=True)
class Authorisation:
    """An authorised amount and every operation on it; sums and status follow from the operations."""

    id: str
    amount: Money
    token: Token
    operations: list[Operation] = field(default_factory=list)

    @property
    def captured(self) -> Money:
        """The sum of the approved captures."""
        return self._sum("capture")

    @property
    def refunded(self) -> Money:
        """The sum of the approved refunds."""
        return self._sum("refund")

    @property
    def status(self) -> AuthorisationStatus:
        """What can still be done follows from this."""
        opening = self.operations[0]
        if opening.status != "approved":
            return opening.status
        if any(operation.kind == "void" for operation in self.operations):
            return "voided"
        if not self.captured.minor_units:
            return "authorised"
        return "refunded" if self.refunded == self.captured else "captured"

    def _sum(self, kind: Kind) -> Money:
        minor_units = sum(
            operation.amount.minor_units
            for operation in self.operations
            if operation.kind == kind and operation.status == "approved"
        )
        return Money(minor_units, self.amount.currency)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a call brought about: the operation, and whether this very call did the work."""

    operation: Operation
    is_new: bool


_Content = tuple[Kind, str | None, Money | None, str | None]


class Ledger:
    """The books. The same reference with the same content is done once and returned ever after."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._authorisations: dict[str, Authorisation] = {}
        self._operations: dict[str, Operation] = {}
        self._contents: dict[str, _Content] = {}

    def authorise(self, reference: str, amount: Money, token_name: str) -> Entry:
        """Reserve *amount*, as the token says.

        Raises:
            UnknownToken: the token is none of `TOKENS`.
            ReferenceReused: the reference stands for another operation.
        """
        token = TOKENS.get(token_name)
        if token is None:
            # The value is not repeated: somebody may have sent a card number.
            raise UnknownToken(f"The token is none of the test tokens; use one of {', '.join(TOKENS)}.")
        content: _Content = ("authorisation", None, amount, token_name)
        if (known := self._known(reference, content)) is not None:
            return Entry(known, is_new=False)
        reaction = token.reaction("authorisation")
        amount = Money(amount.minor_units + reaction.excess_minor_units, amount.currency)
        authorisation = Authorisation(f"auth_{self._ids.new().hex}", amount, token)
        self._authorisations[authorisation.id] = authorisation
        return self._enter(authorisation, reference, content, amount)

    def capture(self, authorisation_id: str, reference: str, amount: Money) -> Entry:
        """Take *amount* of what is authorised; several captures may share it.

        Raises:
            NotFound: there is no such authorisation.
            ReferenceReused: the reference stands for another operation.
            NotCapturable: the authorisation is not open.
            CurrencyDiffers: the amount is in another currency.
            CaptureExceedsAuthorisation: the sum of captures would exceed the authorised amount.
        """
        authorisation = self.authorisation(authorisation_id)
        content: _Content = ("capture", authorisation_id, amount, None)
        if (known := self._known(reference, content)) is not None:
            return Entry(known, is_new=False)
        if authorisation.status not in {"authorised", "captured", "refunded"}:
            raise NotCapturable(f"{authorisation_id} is {authorisation.status}.")
        _same_currency(authorisation, amount)
        left = authorisation.amount.minor_units - authorisation.captured.minor_units
        if amount.minor_units > left:
            raise CaptureExceedsAuthorisation(
                f"{authorisation_id} has {left} minor units left to capture, not {amount.minor_units}."
            )
        return self._enter(authorisation, reference, content, amount)

    def refund(self, authorisation_id: str, reference: str, amount: Money) -> Entry:
        """Return *amount* of what was captured; several refunds may share it.

        Raises:
            NotFound: there is no such authorisation.
            ReferenceReused: the reference stands for another operation.
            NotRefundable: nothing was captured.
            CurrencyDiffers: the amount is in another currency.
            RefundExceedsCapture: the sum of refunds would exceed the captured amount.
        """
        authorisation = self.authorisation(authorisation_id)
        content: _Content = ("refund", authorisation_id, amount, None)
        if (known := self._known(reference, content)) is not None:
            return Entry(known, is_new=False)
        if not authorisation.captured.minor_units:
            raise NotRefundable(f"{authorisation_id} is {authorisation.status}; nothing was captured.")
        _same_currency(authorisation, amount)
        left = authorisation.captured.minor_units - authorisation.refunded.minor_units
        if amount.minor_units > left:
            raise RefundExceedsCapture(
                f"{authorisation_id} has {left} minor units left to refund, not {amount.minor_units}."
            )
        return self._enter(authorisation, reference, content, amount)

    def void(self, authorisation_id: str, reference: str) -> Entry:
        """Release what is authorised; only possible before the first capture.

        Raises:
            NotFound: there is no such authorisation.
            ReferenceReused: the reference stands for another operation.
            NotVoidable: the authorisation is not open, or something was captured.
        """
        authorisation = self.authorisation(authorisation_id)
        content: _Content = ("void", authorisation_id, None, None)
        if (known := self._known(reference, content)) is not None:
            return Entry(known, is_new=False)
        if authorisation.status != "authorised":
            raise NotVoidable(f"{authorisation_id} is {authorisation.status}.")
        return self._enter(authorisation, reference, content, authorisation.amount)

    def answer_challenge(self, authorisation_id: str, outcome: ChallengeOutcome) -> Entry:
        """Play the customer: settle the authorisation that waits; the same answer again changes nothing.

        Raises:
            NotFound: there is no such authorisation.
            ChallengeNotPending: it never waited, or was answered otherwise.
        """
        authorisation = self.authorisation(authorisation_id)
        opening = authorisation.operations[0]
        if not authorisation.token.reaction("authorisation").challenge:
            raise ChallengeNotPending(f"{authorisation_id} is {authorisation.status} without a challenge.")
        status: OperationStatus = "approved" if outcome == "approve" else "declined"
        if opening.settled:
            if opening.status == status:
                return Entry(opening, is_new=False)
            raise ChallengeNotPending(f"The challenge of {authorisation_id} was answered: {opening.status}.")
        decline_code = "authentication_failed" if outcome == "decline" else None
        settled = replace(opening, status=status, decline_code=decline_code)
        authorisation.operations[0] = settled
        self._operations[settled.reference] = settled
        return Entry(settled, is_new=True)

    def authorisation(self, authorisation_id: str) -> Authorisation:
        """Return one authorisation.

        Raises:
            NotFound: there is none with this id.
        """
        if authorisation_id not in self._authorisations:
            raise NotFound(f"There is no authorisation {authorisation_id}.")
        return self._authorisations[authorisation_id]

    def authorisations(self) -> list[Authorisation]:
        """Return every authorisation, oldest first."""
        return list(self._authorisations.values())

    def operation(self, reference: str) -> Operation:
        """Return the operation of *reference*.

        Raises:
            NotFound: no work was done under this reference.
        """
        if reference not in self._operations:
            raise NotFound(f"There is no operation with the reference {reference}.")
        return self._operations[reference]

    def operations(self, reference: str | None = None) -> list[Operation]:
        """Return every operation, oldest first; or the one of *reference*, if there is one."""
        return [one for one in self._operations.values() if reference in {None, one.reference}]

    def clear(self) -> None:
        """Forget everything."""
        self._authorisations.clear()
        self._operations.clear()
        self._contents.clear()

    def _known(self, reference: str, content: _Content) -> Operation | None:
        if reference not in self._contents:
            return None
        if self._contents[reference] != content:
            known = self._operations[reference]
            raise ReferenceReused(
                f"{reference} is the reference of {known.kind} {known.id} with other content; "
                "send a new reference for a new operation."
            )
        return self._operations[reference]

    def _enter(self, authorisation: Authorisation, reference: str, content: _Content, amount: Money) -> Entry:
        kind = content[0]
        reaction = authorisation.token.reaction(kind)
        status: OperationStatus = "approved"
        if reaction.decline_code:
            status = "declined"
        elif reaction.challenge:
            status = "action_required"
        operation = Operation(
            id=f"op_{self._ids.new().hex}",
            reference=reference,
            kind=kind,
            status=status,
            amount=amount,
            authorisation_id=authorisation.id,
            decline_code=reaction.decline_code,
            created_at=self._clock.now(),
        )
        authorisation.operations.append(operation)
        self._operations[reference] = operation
        self._contents[reference] = content
        return Entry(operation, is_new=True)


def _same_currency(authorisation: Authorisation, amount: Money) -> None:
    if amount.currency != authorisation.amount.currency:
        raise CurrencyDiffers(
            f"{authorisation.id} is in {authorisation.amount.currency}, the amount is in {amount.currency}."
        )
