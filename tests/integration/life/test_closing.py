"""The listener closes: what each kind of connection gets."""

from __future__ import annotations

import asyncio
import socket
from signal import Signals

import pytest

from platform_lib.service._closing import turn_away
from tests.integration.life.conftest import Start
from tests.integration.life.processes import Running

head = b"GET /work HTTP/1.1\r\nHost: shop\r\n"
done = b"\r\n\r\ndone"


async def until_refused(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)


async def connect(service: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", service.port)


async def test_a_request_half_sent_when_the_listener_closes_is_answered_when_the_rest_comes(
    start: Start,
) -> None:
    service = await start(SHOP_LIFECYCLE_DRAIN="0s")
    reader, writer = await connect(service)
    writer.write(head + b"\r\n")
    await reader.readuntil(done)
    writer.write(head)
    await asyncio.sleep(0.2)
    service.child.send(Signals.SIGTERM)
    await until_refused(service.port)

    writer.write(b"\r\n")

    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(done)
    assert await service.stop() == 0
    writer.close()


async def test_a_client_that_has_just_connected_is_still_heard(start: Start) -> None:
    service = await start(SHOP_LIFECYCLE_DRAIN="0s")
    reader, writer = await connect(service)
    service.child.send(Signals.SIGTERM)
    await until_refused(service.port)

    writer.write(head + b"\r\n")

    assert (await reader.read()).endswith(done)
    writer.close()


@pytest.mark.parametrize("sent", [b"", head + b"\r\n"], ids=["never used", "kept and idle"])
async def test_an_idle_connection_is_closed_in_order_and_holds_nothing_up(start: Start, sent: bytes) -> None:
    service = await start(SHOP_LIFECYCLE_DRAIN="0s", SHOP_LIFECYCLE_IN_FLIGHT="1h")
    reader, writer = await connect(service)
    writer.write(sent)
    if sent:
        await reader.readuntil(done)

    assert await service.stop() == 0

    assert await reader.read() == b"", "an end of stream, not a reset"
    writer.close()


def test_who_was_connected_before_new_clients_are_turned_away_is_still_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        before = socket.create_connection(listener.getsockname())
        turn_away(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.2)

        accepted, _ = listener.accept()
        with before, accepted:
            before.sendall(b"ping")
            assert accepted.recv(4) == b"ping"
            accepted.sendall(b"pong")
            assert before.recv(4) == b"pong"


async def test_a_client_that_was_turned_away_is_served_by_the_next_process_on_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        turn_away(listener)
        waiting = asyncio.create_task(asyncio.open_connection(*address[:2]))
        await asyncio.sleep(0.1)

    with socket.create_server(address) as following:
        following.settimeout(30)
        accepted, _ = await asyncio.to_thread(following.accept)
        accepted.close()
        _, writer = await waiting
        writer.close()
