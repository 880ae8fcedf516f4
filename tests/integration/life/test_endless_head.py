"""A request whose headers never end: refused, and not kept in memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from tests.integration.life.conftest import Start

mebibyte = 1024 * 1024


def resident_bytes(pid: int) -> int:
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize(
    "beginning",
    [b"GET /work HTTP/1.1\r\nHost: shop\r\nX-Long: ", b"GET /", b"GET /work HTTP/1.1\r\nX-"],
    ids=["value", "path", "name"],
)
async def test_a_head_without_an_end_is_refused_and_not_kept(start: Start, beginning: bytes) -> None:
    service = await start(SHOP_LIFECYCLE_DRAIN="0s")
    before = resident_bytes(service.child.pid)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(beginning + b"a" * 60_000)

    answer = await reader.read()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["code"] == "headers_too_large"
    with contextlib.suppress(OSError):  # the connection is gone
        for _ in range(64):
            writer.write(b"a" * mebibyte)
            await writer.drain()
    assert resident_bytes(service.child.pid) - before < 16 * mebibyte
    writer.close()


async def test_a_head_within_the_limit_in_many_pieces_is_taken(start: Start) -> None:
    service = await start(SHOP_LIFECYCLE_DRAIN="0s")
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)

    for _ in range(2):
        writer.write(b"GET /work HTTP/1.1\r\nHost: shop\r\n")
        for number in range(10):
            writer.write(f"X-{number}: {'a' * 3000}\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write(b"Content-Length: 60000\r\n\r\n" + b"b" * 60_000)

        assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200 ")
    writer.close()
