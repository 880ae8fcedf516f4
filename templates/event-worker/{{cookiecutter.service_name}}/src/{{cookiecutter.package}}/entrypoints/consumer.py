"""Which events run which use case, and what becomes of those that cannot be handled."""

import logging
from dataclasses import dataclass

from platform_lib.events import Event

from {{ cookiecutter.package }}.adapters.payment_events import UnreadableEvent, read_movement
from {{ cookiecutter.package }}.adapters.store import PostgresStore
from {{ cookiecutter.package }}.use_cases import UseCases

log = logging.getLogger(__name__)

DURABLE = "{{ cookiecutter.service_name }}"  # replicas share the events under this name
SUBJECT = "payment.>"
REPLAYED_AT_ONCE = 1_000


class DeadLettersWait(Exception):
    """Some events could not be handled; the runbook says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """Handles one event at a time; any number of replicas may run."""

    store: PostgresStore
    use_cases: UseCases

    async def hear(self, event: Event) -> None:
        """Handle *event*; an error means that it comes again later."""
        try:
            await self.handle(event)
        except UnreadableEvent as error:
            log.error("%s; kept as a dead letter", error)  # noqa: TRY400  # the trace would say nothing more
            await self.give_up(event, error)

    async def handle(self, event: Event) -> None:
        """Let the use case record what *event* tells of; most events tell of nothing that concerns us."""
        if (movement := read_movement(event)) is not None:
            await self.use_cases.record(event.source, event.id, movement)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Keep *event*, until somebody has mended the cause and has it replayed."""
        await self.store.bury(event, error)

    async def replay(self) -> tuple[int, int]:
        """Handle the dead letters again; return how many were handled, and how many failed again."""
        handled = failed = 0
        for letter in await self.store.buried(limit=REPLAYED_AT_ONCE):
            try:
                await self.handle(letter.event)
            except Exception:
                failed += 1
                log.exception("event %s: failed again", letter.event.id)
            else:
                # Should we die before the next line, the inbox knows the event when it is replayed again.
                await self.store.unbury(letter.event)
                handled += 1
        return handled, failed

    async def check(self) -> None:
        """Return if there are no dead letters; readiness then passes without a warning."""
        if count := await self.store.count_buried():
            raise DeadLettersWait(f"{count} dead letters wait")
