"""Whether a database transaction is open around the running code: the guard of a law.

A transaction that waits for a peer holds its locks for as long as the peer likes, and a peer that answered
cannot be rolled back. So no call leaves the process while a transaction is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from platform_lib.errors import LawBroken


class _Open:
    """A transaction that was begun; tasks started inside it share the mark, and see when it ends."""

    __slots__ = ("database", "ended", "task")

    def __init__(self, database: object, task: asyncio.Task[Any] | None) -> None:
        self.database = database
        self.task = task
        self.ended = False


_current: ContextVar[_Open | None] = ContextVar("paypath_open_transaction", default=None)


def inside_transaction() -> bool:
    """Whether a transaction is open in the current context."""
    mark = _current.get()
    return mark is not None and not mark.ended


@contextmanager
def transaction_open(database: object) -> Iterator[None]:
    """Mark the code inside as running in a transaction of *database*."""
    previous = _current.get()
    mark = _Open(database, asyncio.current_task())
    _current.set(mark)
    try:
        yield
    finally:
        mark.ended = True
        # Not a token's reset: a generator may be closed in another context than it was opened in.
        _current.set(previous)


def refuse_call_inside_transaction(peer: str, operation: str) -> None:
    """Raise `LawBroken` if a call to *peer* is about to be made inside a transaction."""
    if inside_transaction():
        raise LawBroken(
            f"{peer}: {operation} was called inside an open database transaction, which would hold its locks "
            "until the peer answers and could not take the call back; commit first, call, then record the "
            "outcome in a transaction of its own"
        )


def refuse_second_connection(database: object) -> None:
    """Raise `LawBroken` if the running task already holds a transaction's connection of *database*."""
    mark = _current.get()
    if (
        mark is not None
        and not mark.ended
        and mark.database is database
        and mark.task is asyncio.current_task()
    ):
        raise LawBroken(
            "database: a second connection was asked for inside an open transaction, which deadlocks as soon "
            "as the pool is busy; pass the transaction's connection along instead"
        )
