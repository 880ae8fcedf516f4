"""The inbox: a message may arrive twice, and takes effect once."""

from __future__ import annotations

from datetime import datetime

from platform_lib.clients import Connection
from platform_lib.clock import Clock, SystemClock
from platform_lib.events._queries import queries


class Inbox:
    """The table ``platform_inbox``, created by `inbox_ddl`.

    *consumer* names who handles the messages: two consumers of one service each handle a message once.
    """

    def __init__(self, consumer: str = "service", *, clock: Clock | None = None) -> None:
        self._consumer = consumer
        self._clock = clock or SystemClock()

    async def accept(
        self, connection: Connection, source: str, event_id: str, *, merchant_id: str = ""
    ) -> bool:
        """Return True the first time, and False ever after; to be called in the transaction of the effect.

        Guarantee: while another transaction is accepting the same message, this waits for its end; if that
        one rolls back, this returns True. The note and the effect commit together or not at all.
        *merchant_id* stays empty where a message is accepted before its merchant is known (a provider's
        webhook); pass it always or never for one source.
        """
        accepted = await connection.execute(
            queries.accept_into_inbox, merchant_id, self._consumer, source, event_id, self._clock.now()
        )
        return accepted == 1

    async def purge(self, connection: Connection, *, accepted_before: datetime, limit: int = 1000) -> int:
        """Delete up to *limit* notes older than *accepted_before*; return how many went.

        Keep notes for longer than any sender redelivers: a provider retries for days, and a stream replays
        all that it retains.
        """
        return await connection.execute(queries.purge_inbox, accepted_before, limit)
