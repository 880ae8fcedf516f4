"""Idempotency keys: a request that is sent twice takes effect once and gets one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from platform_lib.clients import Connection, Queries
from platform_lib.clock import Clock, SystemClock
from platform_lib.errors import Fault
from platform_lib.payments.problems import IdempotencyKeyInUse, IdempotencyKeyReused

_queries = Queries.from_package("platform_lib.payments", "sql/queries.sql")
# A key that disappears between two statements was purged: claiming again settles it. More than a few times in
# a row means that something deletes keys in a loop.
_MOST_CLAIMS = 5


@dataclass(frozen=True)
class Answer:
    """What the first request was answered; a replay repeats it byte for byte."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Claimed:
    """The key was free and is now this request's: do the work, then settle.

    Attributes:
        resource_id: the id that the claim was made with.
    """

    resource_id: UUID


@dataclass(frozen=True)
class Replay:
    """The same request was answered before: repeat that answer and do nothing else.

    Attributes:
        resource_id: the id that the first request claimed the key with.
    """

    answer: Answer
    resource_id: UUID


class IdempotencyKeys:
    """The table ``platform_idempotency_keys``, created by `idempotency_ddl`.

    A key belongs to a merchant and an operation: no merchant can see another's answers, and one key may serve
    an authorisation and its capture.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    async def claim(
        self,
        connection: Connection,
        *,
        merchant_id: str,
        operation: str,
        key: str,
        fingerprint: bytes,
        resource_id: UUID,
        now: datetime,
    ) -> Claimed | Replay:
        """Claim the key in the transaction that *connection* is in, or learn what it was answered.

        Guarantee: of any number of simultaneous claims exactly one is `Claimed`. The others wait for that
        transaction's end; if it rolls back, the key is free again and one of them gets it.
        Errors: `IdempotencyKeyReused` when the key was claimed with another *fingerprint*;
        `IdempotencyKeyInUse` when the first request has no answer yet; `Fault` when the key disappeared
        again and again meanwhile.
        """
        for _ in range(_MOST_CLAIMS):
            inserted = await connection.execute(
                _queries.claim_key, merchant_id, operation, key, fingerprint, resource_id, now
            )
            if inserted:
                return Claimed(resource_id)
            # A statement of its own: the snapshot of the insert is older than the row that it waited for.
            first = await connection.fetch_one(_queries.find_key, merchant_id, operation, key)
            if first is None:
                continue
            if first["fingerprint"] != fingerprint:
                raise IdempotencyKeyReused(
                    "Idempotency-Key: already used with another request; send a new key with a new request"
                )
            if first["status"] != "settled":
                raise IdempotencyKeyInUse(
                    "Idempotency-Key: the first request with this key has no answer yet; send it again later"
                )
            return Replay(Answer(first["response_status"], first["response_body"]), first["resource_id"])
        raise Fault(
            f"idempotency key: disappeared {_MOST_CLAIMS} times while it was claimed; check what deletes keys"
        )

    async def settle(
        self, connection: Connection, *, merchant_id: str, operation: str, key: str, answer: Answer
    ) -> None:
        """Store *answer* for every later request with this key.

        Guarantee: the first settle wins; later ones change nothing.
        Errors: `Fault` when the key was never claimed, because its answer would be lost.
        """
        settled = await connection.execute(
            _queries.settle_key, merchant_id, operation, key, answer.status, answer.body, self._clock.now()
        )
        if settled:
            return
        if await connection.fetch_one(_queries.find_key, merchant_id, operation, key) is None:
            raise Fault(f"idempotency key of {operation}: settled without a claim; claim it before the work")

    async def purge(self, connection: Connection, *, settled_before: datetime, limit: int = 1000) -> int:
        """Delete up to *limit* keys settled before *settled_before*; return how many went.

        A purged key is new again: purge only what is older than the window that the service publishes. A
        claim without an answer is never purged.
        """
        return await connection.execute(_queries.purge_keys, settled_before, limit)
