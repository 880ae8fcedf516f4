"""The span and the duration of each statement, by its query's name: never its text, never a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from time import perf_counter
from urllib.parse import parse_qs, urlsplit

import asyncpg

from platform_lib.clients.queries import Query
from platform_lib.telemetry import client_span
from platform_lib.telemetry._catalogue import database_operation_duration
from platform_lib.telemetry._spans import error_type

_default_port = 5432
_queries_remembered = 512
_search_path = re.compile(r"search_path\s*=\s*(\S+)")

Attributes = Mapping[str, str | int]


class Statements:
    """What telemetry says about the statements of one database.

    Attributes:
        database: the attributes that all of them have.
    """

    def __init__(self, url: str) -> None:
        self.database = database_attributes(url)
        self._describe = lru_cache(maxsize=_queries_remembered)(self._described)

    @property
    def pool_name(self) -> str:
        """Name the database as the conventions advise for a pool without a name of its own."""
        known = self.database
        port = f":{known['server.port']}" if "server.port" in known else ""
        return f"{known['server.address']}{port}/{known['db.namespace']}"

    @contextmanager
    def run(self, query: Query) -> Iterator[None]:
        """Open the span of one statement, and measure how long what is inside takes."""
        attributes = self._describe(query)
        with client_span(query.name, attributes) as span:
            began = perf_counter()
            try:
                yield
            except BaseException as error:
                seconds = perf_counter() - began
                failed = {**attributes, "error.type": error_type(error)}
                if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
                    failed["db.response.status_code"] = str(error.sqlstate)
                    span.set_attribute("db.response.status_code", str(error.sqlstate))
                database_operation_duration.record(seconds, failed)
                raise
            database_operation_duration.record(perf_counter() - began, attributes)

    def _described(self, query: Query) -> Attributes:
        operation = {"db.operation.name": query.operation} if query.operation else {}
        return {**self.database, **operation, "db.query.summary": query.name}


def database_attributes(url: str) -> dict[str, str | int]:
    """Return what the conventions want to know of the database at *url*, without a password.

    `db.namespace` is the database, and the schema behind a bar if the URL sets a `search_path`; what a
    session sets later does not show in it.
    Source: OpenTelemetry semantic conventions 1.44, PostgreSQL.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    namespace = parts.path.lstrip("/") or options.get("database", "")
    named = _search_path.search(options.get("options", ""))
    schema = options.get("search_path") or (named.group(1) if named else "")
    found: dict[str, str | int] = {
        "db.system.name": "postgresql",
        "db.namespace": "|".join(filter(None, (namespace, schema.partition(",")[0].strip(' "')))),
    }
    hosts = parts.netloc.rpartition("@")[2]
    if "," in hosts:  # several servers, each with its port
        found["server.address"] = hosts
        return found
    found["server.address"] = parts.hostname or options.get("host", "localhost")
    found["server.port"] = parts.port or int(options.get("port", _default_port))
    return found
