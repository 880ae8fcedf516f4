"""A broker that each test finds without the streams of the test before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from platform_lib.testing._loop import LoopThread


@contextmanager
def fresh_streams(url: str, loop: LoopThread) -> Iterator[None]:
    """Delete at the end the JetStream streams that were not there at the start."""
    before = loop.run(_stream_names(url, delete_all_but=None))
    yield
    loop.run(_stream_names(url, delete_all_but=before))


async def _stream_names(url: str, *, delete_all_but: set[str] | None) -> set[str]:
    import nats  # noqa: PLC0415  # the plugin loads in every test run, also those without a broker

    connection = await nats.connect(url, connect_timeout=5, allow_reconnect=False)
    try:
        streams = connection.jetstream()
        names = {info.config.name or "" for info in await streams.streams_info()}
        if delete_all_but is not None:
            for name in names - delete_all_but:
                await streams.delete_stream(name)
    finally:
        await connection.close()
    return names
