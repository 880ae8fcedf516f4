"""What came out of the code under test, as texts that can be searched."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from platform_lib.errors import Problem
from platform_lib.testing._logs import CapturedLogs
from platform_lib.testing._metrics import CapturedMetrics
from platform_lib.testing._spans import CapturedSpans

if TYPE_CHECKING:
    import asyncpg
    from nats.js import JetStreamContext
    from opentelemetry.sdk.trace import ReadableSpan

Passage = tuple[str, str]
"""Where something was found, and the text."""

_columns = """
SELECT table_schema, table_name, column_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'
ORDER BY table_schema, table_name, ordinal_position
"""


def passages(place: str, output: object) -> Iterator[Passage]:
    """Yield every text of *output*: spans, logs, metrics, responses, errors, settings, or plain data.

    A response is whatever has ``headers`` and ``content``, a process whatever has ``logs()``.
    """
    match output:
        case str():
            yield place, output
        case bytes() | bytearray() | memoryview():
            yield place, bytes(output).decode("latin-1")
        case CapturedSpans():
            for span in output:
                yield from _of_span(f"{place}: {span.name}", span)
        case BaseException():
            yield from _of_error(place, output)
        case Mapping():
            for name, value in output.items():
                yield f"{place}, a name", str(name)
                yield from passages(f"{place}.{name}", value)
        case list() | tuple() | set() | frozenset():
            for number, value in enumerate(output, 1):
                yield from passages(f"{place}[{number}]", value)
        case _:
            yield from _of_object(place, output)


def _of_object(place: str, output: Any) -> Iterator[Passage]:
    if isinstance(output, CapturedMetrics):
        for name, series in output:
            yield f"{place}, name", name
            yield from _attributes(f"{place}: {name}", series.attributes)
            yield from ((f"{place}: {name}, around it", text) for text in series.texts)
    elif isinstance(output, CapturedLogs):
        yield from ((f"{place}, line {number}", line) for number, line in enumerate(output.lines, 1))
    elif isinstance(output, BaseModel):
        yield f"{place}, shown", f"{output!s}\n{output!r}"
        yield f"{place}, as Python", repr(output.model_dump())
        yield f"{place}, as JSON", output.model_dump_json()
    elif hasattr(output, "headers") and hasattr(output, "content"):
        for name, value in output.headers.items():
            yield f"{place}, header {name}", f"{name}: {value}"
        yield from passages(f"{place}, body", output.content)
    elif callable(getattr(output, "logs", None)):
        yield f"{place}, log", output.logs()
    else:
        yield place, f"{output!s}\n{output!r}"


def _of_error(place: str, error: BaseException) -> Iterator[Passage]:
    if isinstance(error, Problem):
        yield f"{place}, problem", json.dumps(error.document(), default=str)
        yield from passages(f"{place}, headers", error.headers)
    yield f"{place}, error", f"{error!s}\n{error!r}"
    yield f"{place}, traceback", "".join(traceback.format_exception(error))


def _of_span(place: str, span: ReadableSpan) -> Iterator[Passage]:
    yield f"{place}, name", span.name
    yield f"{place}, status", span.status.description or ""
    context = span.get_span_context()
    states = [context.trace_state] if context else []
    yield from _attributes(place, span.attributes)
    yield from _attributes(f"{place}, resource", span.resource.attributes)
    for event in span.events:
        yield f"{place}, event", event.name
        yield from _attributes(f"{place}, event {event.name}", event.attributes)
    for link in span.links:
        yield from _attributes(f"{place}, link", link.attributes)
        states.append(link.context.trace_state)
    for state in states:
        yield f"{place}, trace state", state.to_header()


def _attributes(place: str, attributes: Mapping[str, object] | None) -> Iterator[Passage]:
    for name, value in (attributes or {}).items():
        yield f"{place}, attribute {name}", f"{name}={value}"


async def dump_database(url: str) -> dict[str, str | bytes]:
    """Return every value of every column of every table in the database at *url*, bytes as they are.

    Shape: by ``table.column[row]``, without the nulls.
    """
    import asyncpg  # noqa: PLC0415  # the plugin loads in every test run, also those without a database

    connection = await asyncpg.connect(url)
    try:
        return {
            f"{table}.{column}[{row}]": value
            for schema, table, column in await connection.fetch(_columns)
            for row, value in enumerate(await _values(connection, schema, table, column), 1)
            if value is not None
        }
    finally:
        await connection.close()


async def _values(
    connection: asyncpg.Connection, schema: str, table: str, column: str
) -> list[str | bytes | None]:
    name, source = _quoted(column), f"{_quoted(schema)}.{_quoted(table)}"
    (kind,) = await connection.fetch(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2",
        source,
        column,
    )
    value = name if kind[0] == "bytea" else f"{name}::text"
    rows = await connection.fetch(f"SELECT {value} FROM {source}")  # noqa: S608  # names from the catalogue, quoted
    return [row[0] for row in rows]


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


async def dump_broker(url: str) -> dict[str, str | bytes]:
    """Return subject, headers and body of every message that the streams of the NATS server at *url* hold.

    Shape: by ``stream[sequence] subject``, and the same with ``, header``.
    """
    import nats  # noqa: PLC0415  # the plugin loads in every test run, also those without a broker

    found: dict[str, str | bytes] = {}
    connection = await nats.connect(url, connect_timeout=5, allow_reconnect=False)
    try:
        streams = connection.jetstream()
        for info in await streams.streams_info():
            name = info.config.name or ""
            for sequence in _sequences(info.state.first_seq, info.state.last_seq):
                found.update(await _message(streams, name, sequence))
    finally:
        await connection.close()
    return found


def _sequences(first: int, last: int) -> Iterable[int]:
    return range(max(first, 1), last + 1)


async def _message(streams: JetStreamContext, name: str, sequence: int) -> dict[str, str | bytes]:
    from nats.js.errors import NotFoundError  # noqa: PLC0415  # as above

    try:
        message = await streams.get_msg(name, sequence)
    except NotFoundError:  # deleted between its neighbours
        return {}
    place = f"{name}[{sequence}] {message.subject}"
    headers = {f"{place}, header {key}": value for key, value in (message.headers or {}).items()}
    return {f"{name}[{sequence}], subject": message.subject or "", place: message.data or b"", **headers}
