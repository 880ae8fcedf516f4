"""The mark of an open transaction, which the clients obey."""

from __future__ import annotations

import asyncio

import pytest

from platform_lib.clients._transaction import (
    inside_transaction,
    refuse_call_inside_transaction,
    refuse_second_connection,
    transaction_open,
)
from platform_lib.errors import LawBroken


async def test_a_call_inside_a_transaction_is_refused_with_what_to_do_instead() -> None:
    with transaction_open("payments"), pytest.raises(LawBroken) as caught:
        refuse_call_inside_transaction("provider", "capture")

    assert str(caught.value) == (
        "provider: capture was called inside an open database transaction, which would hold its locks until "
        "the peer answers and could not take the call back; commit first, call, then record the outcome in a "
        "transaction of its own"
    )


async def test_before_and_after_a_transaction_calls_are_free() -> None:
    refuse_call_inside_transaction("provider", "capture")
    with transaction_open("payments"):
        pass
    refuse_call_inside_transaction("provider", "capture")


async def test_a_task_started_inside_is_refused_while_the_transaction_is_open_and_free_afterwards() -> None:
    committed = asyncio.Event()
    seen: list[bool] = []

    async def work() -> None:
        seen.append(inside_transaction())
        await committed.wait()
        seen.append(inside_transaction())

    with transaction_open("payments"):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    committed.set()
    await task

    assert seen == [True, False]


async def test_work_beside_a_transaction_is_not_affected() -> None:
    seen: list[bool] = []

    async def work() -> None:
        seen.append(inside_transaction())

    task = asyncio.create_task(work())
    with transaction_open("payments"):
        await task

    assert seen == [False]


async def test_a_second_connection_of_the_same_database_is_refused_in_the_same_task_only() -> None:
    async def elsewhere() -> None:
        refuse_second_connection("payments")

    with transaction_open("payments"):
        refuse_second_connection("another database")
        await asyncio.create_task(elsewhere())
        with pytest.raises(LawBroken, match="deadlocks"):
            refuse_second_connection("payments")
    refuse_second_connection("payments")


async def test_the_mark_survives_a_transaction_inside_another() -> None:
    with transaction_open("payments"):
        with transaction_open("another database"):
            pass

        assert inside_transaction()
